"""The merged tree against the schema, and pydantic's findings in the operator's terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from runbook.config.keys import Key, dotted, schema_groups, schema_of
from runbook.config.layers import unknown
from runbook.config.problems import Problem
from runbook.config.schema import Variables
from runbook.engine.errors import Place

Location = tuple[str | int, ...]
"""A key, and the index of a list's item."""

_TYPES: Final = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a group of variables",
    "model_attributes_type": "a group of variables",
    "is_instance_of": "a secret's place",
}
_LIMITS: Final = {
    "greater_than_equal": ("at least", "ge"),
    "less_than_equal": ("at most", "le"),
    "greater_than": ("more than", "gt"),
    "less_than": ("less than", "lt"),
}


def validate(
    tree: dict[str, Any], known: Sequence[Key], locate: Callable[[Location], Place]
) -> tuple[Variables | None, list[Problem]]:
    """Turn the merged tree into typed variables.

    Args:
        tree: nested mappings, derived values and secrets filled in.
        known: every key that a layer sets, for the nearest name.
        locate: finds the place of a key, or of the nearest one above it.

    Returns:
        The variables, or None and what is wrong with each key.
    """
    try:
        return Variables.model_validate(tree), []
    except ValidationError as error:
        found: dict[Location, list[ErrorDetails]] = {}
        for details in error.errors(include_url=False):
            found.setdefault(_key(details["loc"], tree), []).append(details)
    return None, [_problem(key, all_of_it, locate(key), known) for key, all_of_it in found.items()]


def _key(location: Location, tree: Any) -> Location:
    """Drop what pydantic appends: the branch of a union, and `[key]` where a mapping's name is wrong."""
    key: list[str | int] = []
    node = tree
    for part in location:
        inside = isinstance(node, Mapping) and part in node
        listed = isinstance(node, list) and isinstance(part, int) and part < len(node)
        if not inside and not listed:
            return (*key, part) if isinstance(node, Mapping) and part == location[-1] else tuple(key)
        key.append(part)
        node = node[part]
    return tuple(key)


def _problem(key: Location, found: list[ErrorDetails], place: Place, known: Sequence[Key]) -> Problem:
    details = found[0]
    name, kind, given = dotted(key), details["type"], details["input"]
    words = tuple(str(part) for part in key)
    if kind == "extra_forbidden":
        return unknown(words, place, known)
    if kind == "missing":
        return _missing(words, place)
    if details["loc"][-1] == "[key]":
        return Problem(f"{name}: the name {_rule(kind, details)}", place)
    if kind in _TYPES:
        types = _TYPES[kind] if len(found) == 1 else "text, a number, true or false"
        return Problem(f"{name} must be {types}, and is {_told(given)}", place, _quoting(kind, given))
    return Problem(f"{name} {_rule(kind, details)}, and is {_told(given)}", place)


def _missing(key: tuple[str, ...], place: Place) -> Problem:
    if key in schema_groups():
        return Problem(f"no variable of {dotted(key)} is set", place, "see `inv vars` and docs/variables.md")
    schema = schema_of(key)
    meaning = f" ({schema.description})" if schema else ""
    return Problem(f"{dotted(key)} is not set{meaning}", place)


def _rule(kind: str, details: ErrorDetails) -> str:
    context = details.get("ctx", {})
    if kind in _LIMITS:
        words, limit = _LIMITS[kind]
        return f"must be {words} {context[limit]:g}"
    if kind == "literal_error":
        return f"must be one of {context['expected']}".replace("'", "")
    if kind == "string_too_short":
        return "must not be empty"
    return details["msg"]


def _told(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list" if isinstance(value, list | tuple) else f"the text {str(value)!r}"


def _quoting(kind: str, given: object) -> str | None:
    if kind == "string_type" and isinstance(given, int | float):
        return f'put quotes around it: "{_plain(given)}"'
    if kind == "string_type" and isinstance(given, Mapping) and list(given.values()) == [None]:
        return f"braces make a mapping in YAML: write {next(iter(given))} without them"
    if kind == "bool_type" and str(given).lower() in {"yes", "no", "on", "off"}:
        return "in YAML 1.2 only true and false are booleans"
    return None


def _plain(value: float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
