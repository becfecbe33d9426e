"""Jinja over the variables, as playbooks use it: strict, and with types kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from jinja2 import Environment, StrictUndefined, TemplateError, UndefinedError

from runbook.engine.errors import Place, PlaybookError

_ENVIRONMENT: Final = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 - no HTML
_LONE: Final = re.compile(r"\s*\{\{((?:(?!\}\}).)*)\}\}\s*", re.DOTALL)


def condition(when: str | bool, variables: Mapping[str, Any], place: Place) -> bool:
    """Judge a `when:`, which is an expression, with or without its braces, as in Ansible.

    Args:
        when: such as `cluster.gateway_api` or `{{ bench.num_prompts > 100 }}`.
        variables: the merged variables, nested.
        place: where it stands, for the error.

    Raises:
        PlaybookError: an undefined name or a broken expression.
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
        return _evaluate(value, variables)
    except UndefinedError as error:
        raise PlaybookError(f"{value}: {error.message}", place=place, remedy="see: inv vars") from error
    except (TemplateError, TypeError) as error:
        raise PlaybookError(f"{value}: {error}", place=place) from error


def _evaluate(text: str, variables: Mapping[str, Any]) -> Any:
    lone = _LONE.fullmatch(text)
    if not lone:
        return _ENVIRONMENT.from_string(text).render(variables)
    found = _ENVIRONMENT.compile_expression(lone[1], undefined_to_none=False)(variables)
    if isinstance(found, StrictUndefined):
        str(found)  # raises UndefinedError, in Jinja's own words
    return found
