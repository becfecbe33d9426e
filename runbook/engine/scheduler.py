"""Runs planned steps: those whose needs are met run at the same time, bounded; Ctrl-C ends the run well."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from runbook.engine.events import StepEnded, StepStarted
from runbook.engine.interruption import Interruption
from runbook.engine.notifier import Notifier
from runbook.engine.outcome import Outcome, Status
from runbook.engine.plan import PlannedStep


class Scheduler:
    """Runs the steps of a line.

    Args:
        parallel: how many steps run at the same time, at most.
        run_step: runs one step to its outcome; called in a worker thread.
        notifier: takes the events.
        interruption: set when the operator wants the run to end.
    """

    def __init__(
        self,
        parallel: int,
        run_step: Callable[[PlannedStep], Outcome],
        notifier: Notifier,
        interruption: Interruption,
    ) -> None:
        self._parallel = parallel
        self._run_step = run_step
        self._notifier = notifier
        self._interruption = interruption
        self._held_back_sections: set[str] = set()

    def run(self, steps: Sequence[PlannedStep]) -> list[Outcome]:
        """Run all steps; return their outcomes in the order of the plan.

        A step that fails holds back the steps that need it; independent ones go on.
        """
        outcomes: dict[str, Outcome] = {}
        running: dict[Future[Outcome], PlannedStep] = {}
        waiting = list(steps)
        with ThreadPoolExecutor(self._parallel, thread_name_prefix="step") as pool:
            while waiting or running:
                waiting = self._start_ready(waiting, outcomes, running, pool)
                if running:
                    self._collect(running, outcomes)
        return [outcomes[step.spec.section] for step in steps]

    def _start_ready(
        self,
        waiting: list[PlannedStep],
        outcomes: dict[str, Outcome],
        running: dict[Future[Outcome], PlannedStep],
        pool: ThreadPoolExecutor,
    ) -> list[PlannedStep]:
        left: list[PlannedStep] = []
        for step in waiting:
            reason = self._held_back(step, outcomes)
            if reason:
                self._held_back_sections.add(step.spec.section)
                self._end(step, _skipped(step, reason), outcomes)
            elif all(need in outcomes for need in step.needs):
                running[pool.submit(self._start, step)] = step
            else:
                left.append(step)
        return left

    def _held_back(self, step: PlannedStep, outcomes: dict[str, Outcome]) -> str | None:
        if self._interruption.requested:
            return "interrupted"
        for need in step.needs:
            if need in outcomes and outcomes[need].status is Status.FAILED:
                return f"needs {need}, which failed"
            if need in self._held_back_sections:
                return f"needs {need}, which did not run"
        return None

    def _start(self, step: PlannedStep) -> Outcome:
        self._notifier.notify(StepStarted(step.face))
        return self._run_step(step)

    def _collect(self, running: dict[Future[Outcome], PlannedStep], outcomes: dict[str, Outcome]) -> None:
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            self._end(running.pop(future), future.result(), outcomes)

    def _end(self, step: PlannedStep, outcome: Outcome, outcomes: dict[str, Outcome]) -> None:
        outcomes[step.spec.section] = outcome
        self._notifier.notify(StepEnded(step.face, outcome))


def _skipped(step: PlannedStep, reason: str) -> Outcome:
    return Outcome(step.spec.section, step.spec.name, Status.SKIPPED, reason, (), time.time(), 0.0)
