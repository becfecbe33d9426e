"""How a step ended, and how a run did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from runbook.engine.change import Change
from runbook.engine.errors import RunbookError


class Status(StrEnum):
    """A step's end, in the words that the operator reads."""

    OK = "ok"
    CHANGED = "changed"
    WOULD_CHANGE = "would change"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    FAILED = "failed"


PENDING = frozenset({Status.WOULD_CHANGE, Status.UNKNOWN})
"""Ends of a check after which a real run would have something to do."""


@dataclass(frozen=True)
class Outcome:
    """A step's end.

    Args:
        section: the step's section, such as `2.3.1`.
        name: the step's name.
        status: how it ended.
        reason: why, in words; for UNKNOWN the section that it is unknown until.
        changes: what was changed, or would be.
        started: seconds since the epoch.
        seconds: how long it took.
        error: what made it fail.
    """

    section: str
    name: str
    status: Status
    reason: str
    changes: Sequence[Change]
    started: float
    seconds: float
    error: RunbookError | None = None


def exit_code(outcomes: Sequence[Outcome]) -> int:
    """Judge a run as a process: 1 a step failed, 2 a check found changes pending, else 0."""
    statuses = {outcome.status for outcome in outcomes}
    if Status.FAILED in statuses:
        return 1
    return 2 if statuses & PENDING else 0
