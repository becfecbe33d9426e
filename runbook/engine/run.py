"""One run: a line's planned steps, executed, told to observers and judged."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from runbook.engine.bill import Bill, Pricing, distinct, total
from runbook.engine.change import Change
from runbook.engine.errors import MissingError
from runbook.engine.events import CostKnown, RunEnded, RunStarted
from runbook.engine.execution import Execution
from runbook.engine.facts import Facts
from runbook.engine.interruption import Interruption
from runbook.engine.notifier import Notifier, StepVoice
from runbook.engine.outcome import Outcome, Status, exit_code
from runbook.engine.plan import PlannedStep
from runbook.engine.playbook import BoundStep, StepSpec
from runbook.engine.report import StepReport
from runbook.engine.scheduler import Scheduler


@dataclass(frozen=True)
class Run:
    """Everything that a run needs.

    Args:
        run_id: its name.
        environment: such as `rehearsal`.
        tasks: as typed, such as `("setup", "deploy")`.
        check: change nothing, plan on.
        parallel: how many steps run at the same time, at most.
        steps: the line's plan.
        bound: each step's module and arguments, by section.
        suppliers: all steps of all playbooks, to name the one that supplies what is missing.
        make_context: makes the surroundings of a step of the plan from its report.
        ask: asks the operator whether a change's loss is accepted.
        notifier: takes the events.
        interruption: ends the run.
        facts: the shared reads.
        pricing: how the figures of what costs money are to be read.
    """

    run_id: str
    environment: str
    tasks: Sequence[str]
    check: bool
    parallel: int
    steps: Sequence[PlannedStep]
    bound: Mapping[str, BoundStep]
    suppliers: Sequence[StepSpec]
    make_context: Callable[[PlannedStep, StepReport], Any]
    ask: Callable[[Change], bool]
    notifier: Notifier
    interruption: Interruption
    facts: Facts = field(default_factory=Facts)
    pricing: Pricing = field(default_factory=Pricing)

    def execute(self) -> int:
        """Run every step and return the exit code: 0, 1 a step failed, 2 a check found changes pending."""
        clock = time.monotonic()
        faces = [step.face for step in self.steps]
        self.notifier.notify(RunStarted(self.run_id, self.environment, self.tasks, self.check, faces))
        scheduler = Scheduler(self.parallel, self._run_step, self.notifier, self.interruption)
        outcomes = scheduler.run(self.steps)
        code = 1 if self.interruption.requested else exit_code(outcomes)
        if not self.interruption.requested:
            self._tell_cost(outcomes)
        self.notifier.notify(RunEnded(outcomes, time.monotonic() - clock, code))
        return code

    def _run_step(self, step: PlannedStep) -> Outcome:
        bound = self.bound[step.spec.section]
        if bound.skip_reason:
            spec = step.spec
            return Outcome(spec.section, spec.name, Status.SKIPPED, bound.skip_reason, (), time.time(), 0.0)
        context = self.make_context(step, StepVoice(step.face, self.notifier))
        execution = Execution(
            face=step.face,
            generate=lambda: bound.module.run(bound.arguments, context),
            check=self.check,
            retries=step.spec.retries,
            facts=self.facts,
            notify=self.notifier.notify,
            ask=self.ask,
            pause=self.interruption.pause,
        )
        return self._name_supplier(execution.run())

    def _tell_cost(self, outcomes: Sequence[Outcome]) -> None:
        """Ask the steps that looked what bills now; one that cannot tell does not fail a line."""
        bills: list[Bill] = []
        unread: list[str] = []
        asked = [
            step for step, outcome in zip(self.steps, outcomes, strict=True) if self._may_tell(step, outcome)
        ]
        for step in asked:
            try:
                bills += self._bills(step)
            except Exception:  # noqa: BLE001 - all work is done; a bill that cannot be read is told, not raised
                unread.append(step.spec.section)
        if asked:
            found, pricing = distinct(bills), self.pricing
            self.notifier.notify(CostKnown(found, total(found), pricing.currency, pricing.note, unread))

    def _may_tell(self, step: PlannedStep, outcome: Outcome) -> bool:
        looked = outcome.status not in {Status.SKIPPED, Status.UNKNOWN}
        return looked and self.bound[step.spec.section].module.bills is not None

    def _bills(self, step: PlannedStep) -> Sequence[Bill]:
        bound = self.bound[step.spec.section]
        if bound.module.bills is None:
            return ()
        return bound.module.bills(
            bound.arguments, self.make_context(step, StepVoice(step.face, self.notifier))
        )

    def _name_supplier(self, outcome: Outcome) -> Outcome:
        error = outcome.error
        if isinstance(error, MissingError) and not error.remedy:
            section = self._supplier(error.supplied_by)
            error.remedy = f"step {section} supplies it: inv step {section}"
        if outcome.status is Status.UNKNOWN:
            return replace(outcome, reason=self._supplier(outcome.reason))
        return outcome

    def _supplier(self, module: str) -> str:
        """Name the section of the first step that uses a module; a section names itself."""
        return next((step.section for step in self.suppliers if step.uses == module), module)
