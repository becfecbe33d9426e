"""Manifest templates: Jinja, rendered strictly, and parsed with an eye for what was left unfilled."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from runbook.engine.errors import ManifestError, Place
from runbook.steps.kube.fields import check_types

Object = dict[str, Any]
"""A Kubernetes object as the API takes it."""

PLACEHOLDER: Final = re.compile(r"[{<]\s*YOUR_\w*")
_PLAIN: Final = re.compile(r"(--)?[A-Za-z0-9/][A-Za-z0-9._/@=+$()-]*(:[A-Za-z0-9._/@=+-]+)*")
_NUMBER: Final = re.compile(r"[0-9][0-9_.,:eE+-]*|0[xXoObB][0-9a-fA-F_]*")
_RESERVED: Final = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def render(template: Path, values: Mapping[str, Any]) -> str:
    """Render one template.

    Args:
        template: the file; what it includes lies in the same folder.
        values: what the template may name.

    Raises:
        ManifestError: an undefined name, a mistake of Jinja, or a placeholder that nobody filled.
    """
    environment = _environment(template.parent)
    try:
        text = environment.get_template(template.name).render(values)
    except TemplateSyntaxError as error:
        place = Place.in_file(Path(error.filename or template), error.lineno)
        raise ManifestError(error.message or "not a template", place=place) from error
    except (TemplateError, TypeError, ValueError) as error:
        place = Place.in_file(template, _line_of_traceback(error, template))
        raise ManifestError(str(error), place=place, remedy="see: inv vars") from error
    _refuse_placeholders(text, template)
    return text


def parse(text: str, template: Path) -> list[Object]:
    """Parse what a template rendered to.

    Args:
        text: YAML documents.
        template: where they come from, for errors.

    Raises:
        ManifestError: it is not YAML, or a field holds nothing, or something of another type.
    """
    try:
        objects = [document for document in YAML(typ="safe").load_all(text) if document is not None]
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        before = text.splitlines()[: mark.line + 1] if mark else []
        line = template_line(template, before[-1]) if before else None
        raise ManifestError(
            f"renders to what is not YAML: {error.problem}", place=Place.in_file(template, line)
        ) from error
    for found in objects:
        problem = check_types(found)
        if problem:
            line = template_line(template, problem.key)
            raise ManifestError(f"{problem.path} {problem.what}", place=Place.in_file(template, line))
    return objects


@cache
def _environment(folder: Path) -> Environment:
    """Give a folder's environment: it keeps the templates that it compiled, until their files change."""
    environment = Environment(  # noqa: S701 - YAML, not HTML
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        trim_blocks=False,
        keep_trailing_newline=True,
    )
    environment.filters["scalar"] = scalar
    environment.filters["arguments"] = arguments
    return environment


def scalar(value: object) -> str:
    """Write a value as one YAML string, quoted only where it must be."""
    text = str(value)
    plain = _PLAIN.fullmatch(text) and not _NUMBER.fullmatch(text) and text.lower() not in _RESERVED
    return text if plain else json.dumps(text, ensure_ascii=False)


def arguments(flags: Mapping[str, Any], model: str) -> Iterator[str]:
    """Write flags as the guide does: `--name=value`, the model after the load format.

    Args:
        flags: True gives the flag alone; False and None leave it out.
        model: the model's path in the container.
    """
    pending = f"--model={model}"
    for name, value in flags.items():
        if value is None or value is False:
            continue
        yield f"--{name}" if value is True else f"--{name}={value}"
        if name == "load-format":
            yield pending
            pending = ""
    if pending:
        yield pending


def _refuse_placeholders(text: str, template: Path) -> None:
    for line in text.splitlines():
        found = PLACEHOLDER.search(line)
        if found:
            place = Place.in_file(template, template_line(template, line))
            raise ManifestError(
                f"a placeholder was left in: {line.strip()}", place=place, remedy="see: inv vars"
            )


def _line_of_traceback(error: BaseException, template: Path) -> int | None:
    """Find the template's line: Jinja makes the traceback name it."""
    line = None
    step = error.__traceback__
    while step:
        if Path(step.tb_frame.f_code.co_filename) == template:
            line = step.tb_lineno
        step = step.tb_next
    return line


def template_line(template: Path, rendered: str) -> int | None:
    """Find the template's line that a rendered line most likely comes from."""
    lines = [line.strip() for line in template.read_text(encoding="utf-8").splitlines()]
    wanted = rendered.strip()
    if wanted in lines:
        return lines.index(wanted) + 1
    key = wanted.partition(":")[0] + ":"
    starts = [number for number, line in enumerate(lines, 1) if ":" in wanted and line.startswith(key)]
    nearest = get_close_matches(wanted, lines, n=1, cutoff=0.4)
    if nearest and (not starts or lines.index(nearest[0]) + 1 in starts):
        return lines.index(nearest[0]) + 1
    return starts[0] if starts else None
