"""Jinja over the variables, as playbooks use it: strict, and with types kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import StrictUndefined, TemplateError, UndefinedError
from jinja2.nativetypes import NativeEnvironment

from runbook.engine.errors import Place, PlaybookError

_ENVIRONMENT = NativeEnvironment(undefined=StrictUndefined)


def condition(when: str | bool, variables: Mapping[str, Any], place: Place) -> bool:
    """Judge a `when:`, which is an expression, with or without its braces, as in Ansible.

    Args:
        when: such as `cluster.gateway_api` or `{{ bench.num_prompts > 100 }}`.
        variables: the merged variables, nested.
        place: where it stands, for the error.
    """
    braced = isinstance(when, bool) or "{{" in when
    return bool(render(when if braced else f"{{{{ {when} }}}}", variables, place))


def render(value: Any, variables: Mapping[str, Any], place: Place) -> Any:
    """Render every string inside a value; a lone `{{ expression }}` keeps the expression's type.

    Args:
        value: a scalar, list or mapping out of a playbook.
        variables: the merged variables, nested.
        place: where the value stands, for the error.

    Raises:
        PlaybookError: an undefined name or a broken expression.
    """
    if isinstance(value, Mapping):
        return {key: render(item, variables, place) for key, item in value.items()}
    if isinstance(value, list):
        return [render(item, variables, place) for item in value]
    if not isinstance(value, str) or "{" not in value:
        return value
    try:
        rendered: Any = _ENVIRONMENT.from_string(value).render(variables)
    except UndefinedError as error:
        raise PlaybookError(f"{value}: {error.message}", place=place, remedy="see: inv vars") from error
    except TemplateError as error:
        raise PlaybookError(f"{value}: {error.message}", place=place) from error
    if isinstance(rendered, StrictUndefined):
        raise PlaybookError(f"{value}: no such variable", place=place, remedy="see: inv vars")
    return rendered
