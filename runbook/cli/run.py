"""Runs the steps that a line has queued: plan, lock, journal, engine, exit code."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from runbook.cli import rehearsal
from runbook.cli.catalogue import load_playbooks, load_variables, module_library, wanted_steps
from runbook.cli.confirmation import Confirmation
from runbook.cli.line import Line
from runbook.cli.surroundings import contexts
from runbook.config.listing import as_records
from runbook.config.load import Loaded
from runbook.config.schema import Rehearsal, Variables
from runbook.engine.bill import Pricing
from runbook.engine.errors import UserError
from runbook.engine.events import Observer, WarningSeen
from runbook.engine.facts import Facts
from runbook.engine.interruption import Interruption
from runbook.engine.journal import Journal, new_run_id
from runbook.engine.kept import VARIABLES, keep
from runbook.engine.lock import EnvironmentLock
from runbook.engine.notifier import Notifier, StepVoice
from runbook.engine.plan import PlannedStep, Selection, plan
from runbook.engine.playbook import BoundStep, StepSpec, all_steps, bind
from runbook.engine.report import StepReport
from runbook.engine.run import Run
from runbook.report.console import Console
from runbook.report.json_lines import JsonLines
from runbook.steps.context import Context

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_line(line: Line) -> int:
    """Run what the line has queued.

    Returns:
        0 done or nothing to change, 1 a step failed, 2 a check found changes pending.

    Raises:
        RunbookError: something is wrong before the first step: a variable, a playbook, the lock.
    """
    with ExitStack() as opened:
        return _run(line, opened, _screen(line, opened))


def _run(line: Line, opened: ExitStack, screen: Observer) -> int:
    loaded = load_variables(line)
    playbooks = load_playbooks(line.root)
    options = line.options
    steps = wanted_steps(line, playbooks)
    selection = Selection(options.tags, options.skip_tags, options.start_at)
    planned = plan(steps, selection, loaded.tree)
    if not planned:
        raise UserError("no step of the line carries these tags", remedy="all steps: inv steps")
    library = module_library()
    bound = {step.spec.section: bind(step.spec, library, loaded.tree) for step in planned}
    return _LineRun(line, loaded, opened, screen).execute(planned, bound, list(all_steps(playbooks)))


@dataclass(frozen=True)
class _LineRun:
    """A line on its way: what is opened for it, and its run."""

    line: Line
    loaded: Loaded
    opened: ExitStack
    screen: Observer
    run_id: str = field(default_factory=new_run_id)
    facts: Facts = field(default_factory=Facts)
    interruption: Interruption = field(default_factory=Interruption)

    def execute(
        self,
        planned: Sequence[PlannedStep],
        bound: Mapping[str, BoundStep],
        suppliers: Sequence[StepSpec],
    ) -> int:
        self.opened.enter_context(_interrupted_by_signal(self.interruption))
        for warning in self.loaded.warnings:
            self.screen.notify(WarningSeen(None, str(warning)))
        make_context = self._contexts(bound)
        _validate(planned, bound, make_context)
        self._lock()
        variables = self.loaded.variables
        if variables.provider == "rehearsal":
            self._prepare_rehearsal(variables.rehearsal)
        self.line.run_ids.append(self.run_id)
        folder = self.line.runs / self.run_id
        journal = Journal(folder, self.line.arguments)
        keep(folder / VARIABLES, json.dumps(as_records(self.loaded), indent=1, default=str))
        return Run(
            run_id=self.run_id,
            environment=self.line.options.environment,
            tasks=(*self.line.playbooks, *self.line.step_names),
            check=self.line.options.check,
            parallel=variables.run.parallel,
            steps=planned,
            bound=bound,
            suppliers=suppliers,
            make_context=make_context,
            ask=self._confirmation().ask,
            notifier=Notifier([journal, self.screen]),
            interruption=self.interruption,
            facts=self.facts,
            pricing=_pricing(self.loaded.variables),
        ).execute()

    def _confirmation(self) -> Confirmation:
        return Confirmation(self.line.options.yes, _asking(self.screen), self.interruption.pause)

    def _choose(self, question: str) -> str:
        return self._confirmation().choose(question) if self.interruption.by_hand else ""

    def _contexts(self, bound: Mapping[str, BoundStep]) -> Callable[[PlannedStep, StepReport], Context]:
        opening = contexts(
            self.line,
            self.loaded,
            self.run_id,
            check=self.line.options.check,
            facts=self.facts,
            interruption=self.interruption,
        )
        make = self.opened.enter_context(opening)
        return lambda step, report: replace(
            make(report), siblings=_siblings(step, bound), round=step.spec.round, choose=self._choose
        )

    def _prepare_rehearsal(self, wanted: Rehearsal) -> None:
        check = self.line.options.check
        if not check and rehearsal.renew(self.line):
            text = "the rehearsal still ran code of before: it was started again, and its Pods with it"
            self.screen.notify(WarningSeen(None, text))
        rehearsal.prepare(self.line, wanted, check=check)

    def _lock(self) -> None:
        if self.line.options.check:
            return
        lock = EnvironmentLock(
            path=self.line.runs / "locks" / self.line.options.environment,
            wait_seconds=self.loaded.variables.run.lock_timeout_s,
            tell=lambda text: self.screen.notify(WarningSeen(None, text)),
            pause=self.interruption.pause,
        )
        self.opened.enter_context(lock)


def _siblings(step: PlannedStep, bound: Mapping[str, BoundStep]) -> list[Any]:
    """Give the arguments of the line's other steps that use the same module and are not skipped."""
    module = bound[step.spec.section].module
    return [
        other.arguments
        for section, other in bound.items()
        if section != step.spec.section and other.module == module and not other.skip_reason
    ]


def _validate(
    planned: Sequence[PlannedStep],
    bound: Mapping[str, BoundStep],
    make_context: Callable[[PlannedStep, StepReport], Context],
) -> None:
    """Find what is wrong with any step of the line before the first one begins."""
    for step in planned:
        found = bound[step.spec.section]
        if found.module.validate and not found.skip_reason:
            found.module.validate(found.arguments, make_context(step, StepVoice(step.face, Notifier([]))))


def _pricing(variables: Variables) -> Pricing:
    note = "a rehearsal: nothing is billed" if variables.provider == "rehearsal" else ""
    return Pricing(variables.prices.currency or "", note)


def _screen(line: Line, opened: ExitStack) -> Observer:
    if line.options.json:
        return JsonLines(sys.stdout)
    console = Console(diff=line.options.diff, verbose=line.options.verbose)
    opened.callback(console.close)
    return console


def _asking(screen: Observer) -> Console | None:
    return screen if isinstance(screen, Console) else None


@contextmanager
def _interrupted_by_signal(interruption: Interruption) -> Iterator[None]:
    """Have the first Ctrl-C, SIGTERM or lost terminal end the run well, and the second at once."""

    def stop(number: int, _: object) -> None:
        if interruption.requested:
            os._exit(128 + number)
        interruption.request(by_hand=number == signal.SIGINT)
        os.write(2, b"\ninterrupted: what is under way is let finish (again: stop at once)\n")

    before = {number: signal.signal(number, stop) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
