"""Status conditions: one entry a type, with the time of its last transition."""

from __future__ import annotations

from typing import Any

from rehearsal.kube.api.store import timestamp

Condition = dict[str, Any]


def condition(conditions: list[Condition] | None, kind: str) -> Condition | None:
    """Find the condition of a type."""
    return next((entry for entry in conditions or [] if entry["type"] == kind), None)


def is_true(conditions: list[Condition] | None, kind: str) -> bool:
    """Tell whether the condition of a type is there and True."""
    found = condition(conditions, kind)
    return found is not None and found["status"] == "True"


def with_condition(
    conditions: list[Condition] | None,
    kind: str,
    status: bool,
    reason: str = "",
    message: str = "",
    **more: str,
) -> list[Condition]:
    """Give the conditions with one of them set; its transition time changes only with its status.

    Args:
        more: further fields, such as lastUpdateTime.
    """
    old = condition(conditions, kind)
    new: Condition = {"type": kind, "status": "True" if status else "False", **more}
    if reason:
        new["reason"] = reason
    if message:
        new["message"] = message
    same = old is not None and old["status"] == new["status"]
    new["lastTransitionTime"] = old["lastTransitionTime"] if old and same else timestamp()
    kept = list(conditions or [])
    if old is None:
        return [*kept, new]
    return [new if entry is old else entry for entry in kept]


def without_condition(conditions: list[Condition] | None, kind: str) -> list[Condition]:
    """Give the conditions but that of a type."""
    return [entry for entry in conditions or [] if entry["type"] != kind]
