"""One step, run: checked, changed, read again."""

from __future__ import annotations

import random
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from runbook.engine.change import Action, Change, Skip, StepResult
from runbook.engine.errors import (
    DefectError,
    NotConvergedError,
    PassingError,
    RefusedError,
    RunbookError,
    UnknownUntil,
)
from runbook.engine.events import ActionBegun, ChangeBegun, Event, StepFace, WarningSeen
from runbook.engine.facts import Facts
from runbook.engine.outcome import Outcome, Status

RETRY_SECONDS = 2.0
"""The first pause of a step's retries; each further one doubles, with jitter."""


@dataclass(frozen=True)
class Execution:
    """Runs a step's generator.

    Args:
        face: the step's names.
        generate: starts the step's generator anew.
        check: change nothing, plan on.
        retries: how often a passing failure is tried again.
        facts: the shared reads.
        notify: takes the step's events.
        ask: asks the operator whether a loss is accepted.
        pause: waits for some seconds, or ends by the operator's interruption.
    """

    face: StepFace
    generate: Callable[[], StepResult]
    check: bool
    retries: int
    facts: Facts
    notify: Callable[[Event], None]
    ask: Callable[[Change], bool]
    pause: Callable[[float], None]

    def run(self) -> Outcome:
        """Run the step to its end; every `RunbookError` becomes its outcome."""
        started = time.time()
        clock = time.monotonic()
        changes: list[Change] = []
        try:
            status, reason = self._with_retries(changes)
            error: RunbookError | None = None
        except UnknownUntil as unknown:
            status, reason, error = Status.UNKNOWN, unknown.step, None
        except RunbookError as failure:
            status, reason, error = Status.FAILED, failure.message, failure
        except Exception as bug:  # noqa: BLE001 - a step's defect must not end the other steps; it is told and kept
            error = _defect(bug)
            status, reason = Status.FAILED, error.message
        seconds = time.monotonic() - clock
        face = self.face
        return Outcome(face.section, face.name, status, reason, tuple(changes), started, seconds, error)

    def _with_retries(self, changes: list[Change]) -> tuple[Status, str]:
        for attempt in range(self.retries):
            try:
                return self._once(changes)
            except PassingError as error:
                wait = error.retry_after or RETRY_SECONDS * 2**attempt * random.uniform(0.5, 1.5)  # noqa: S311 - jitter
                self.notify(WarningSeen(self.face, f"{error.message}; trying again in {wait:.0f} s"))
                self.pause(wait)
                self.facts.forget(())
        return self._once(changes)

    def _once(self, changes: list[Change]) -> tuple[Status, str]:
        items, result = _walk(self.generate())
        for item in items:
            if isinstance(item, Action):
                self._act(item)
            else:
                self._change(item, changes)
        if isinstance(result[0], Skip):
            return Status.SKIPPED, result[0].reason
        if not changes:
            return Status.OK, result[0]
        if self.check:
            return Status.WOULD_CHANGE, result[0]
        self._read_again()
        return Status.CHANGED, result[0]

    def _act(self, action: Action) -> None:
        if self.check:
            return
        self.notify(ActionBegun(self.face, action.what, action.command))
        action.act()
        self.facts.forget(*action.refreshes)

    def _change(self, change: Change, changes: list[Change]) -> None:
        self.notify(ChangeBegun(self.face, change))
        if self.check:
            changes.append(change)
            self.facts.plan(change.planned, self.face.section)
            return
        if change.loss and not self.ask(change):
            raise RefusedError(f"not confirmed: {change.loss}", remedy="answer yes, or run with --yes")
        try:
            change.apply()
        finally:
            self.facts.forget(*change.planned)
        changes.append(change)

    def _read_again(self) -> None:
        items, _ = _walk(self.generate())
        for item in items:
            if isinstance(item, Change):
                paths = ", ".join(difference.path for difference in item.differences)
                raise NotConvergedError(
                    f"changed, and still not as it should be: {paths}",
                    remedy="somebody else may be changing it at the same time; run the line again",
                )


def _defect(bug: Exception) -> DefectError:
    return DefectError(
        f"a defect of this step: {type(bug).__name__}: {bug}",
        trace="".join(traceback.format_exception(bug)),
        remedy="its traceback is in this run's journal: inv history",
    )


def _walk(generator: StepResult) -> tuple[Iterator[Change | Action], list[Any]]:
    """Iterate a generator, and hold what it returns in a list of one."""
    result: list[Any] = [""]

    def items() -> Iterator[Change | Action]:
        result[0] = yield from generator

    return items(), result
