"""What a run did: how its steps ended and what each changed, before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any

from runbook.engine.shell import shell_text
from runbook.report.page.wording import value


@dataclass(frozen=True)
class Row:
    """One difference.

    Args:
        path: what differs.
        before: its text, or `absent`.
        after: the same.
        diff: lines of a unified diff, where both are long.
    """

    path: str
    before: str
    after: str
    diff: Sequence[str]


@dataclass(frozen=True)
class Doing:
    """A step that changed something, or would have.

    Args:
        section: of the step.
        name: of the step.
        status: how the step ended.
        rows: what became different.
        commands: what does the same by hand; each once.
        remarks: what was lost, and what the operator should know.
    """

    section: str
    name: str
    status: str
    rows: Sequence[Row]
    commands: Sequence[str]
    remarks: Sequence[str]


def doings(outcomes: Sequence[Mapping[str, Any]]) -> list[Doing]:
    """List the steps of a run that have changes.

    Args:
        outcomes: as in run.json.
    """
    return [_doing(outcome, outcome["changes"]) for outcome in outcomes if outcome["changes"]]


def _doing(outcome: Mapping[str, Any], changes: Sequence[Mapping[str, Any]]) -> Doing:
    commands = [shell_text(change["command"]) for change in changes if change["command"]]
    losses = [f"lost: {change['loss']}" for change in changes if change["loss"]]
    warnings = [change["warning"] for change in changes if change["warning"]]
    return Doing(
        outcome["section"],
        outcome["name"],
        outcome["status"],
        [_row(item) for change in changes for item in change["differences"]],
        list(dict.fromkeys(commands)),
        [*losses, *warnings],
    )


def _row(item: Mapping[str, Any]) -> Row:
    before, after = value(item["before"]), value(item["after"])
    both = "\n" in before.strip() and "\n" in after.strip()
    lines = unified_diff(before.splitlines(), after.splitlines(), "before", "after", lineterm="", n=2)
    return Row(item["path"], before, after, list(lines) if both else [])
