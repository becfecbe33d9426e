"""Which labels a selector means."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Labels = Mapping[str, str]
Requirement = Mapping[str, Any]

_OPERATORS: dict[str, Callable[[str | None, Sequence[str]], bool]] = {
    "In": lambda value, values: value in values,
    "NotIn": lambda value, values: value not in values,
    "Exists": lambda value, _: value is not None,
    "DoesNotExist": lambda value, _: value is None,
    "Gt": lambda value, values: value is not None and int(value) > int(values[0]),
    "Lt": lambda value, values: value is not None and int(value) < int(values[0]),
}


def label_selector_matches(selector: Mapping[str, Any] | None, labels: Labels) -> bool:
    """Tell whether a LabelSelector selects the labels; no selector selects nothing."""
    if selector is None:
        return False
    return contains(labels, selector.get("matchLabels")) and requirements_match(
        selector.get("matchExpressions"), labels
    )


def requirements_match(requirements: Sequence[Requirement] | None, labels: Labels) -> bool:
    """Tell whether the labels satisfy all of the expressions (key, operator, values)."""
    return all(
        _OPERATORS[requirement["operator"]](labels.get(requirement["key"]), requirement.get("values") or [])
        for requirement in requirements or []
    )


def contains(labels: Labels, wanted: Labels | None) -> bool:
    """Tell whether every wanted label is there with that value."""
    return all(labels.get(key) == value for key, value in (wanted or {}).items())
