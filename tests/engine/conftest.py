"""A line of small steps over a world that is a dictionary."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import BaseModel

from runbook.engine.change import Change, Difference, StepResult
from runbook.engine.errors import Place
from runbook.engine.events import Event
from runbook.engine.facts import Facts
from runbook.engine.interruption import Interruption
from runbook.engine.module import StepModule
from runbook.engine.need import Need
from runbook.engine.notifier import Notifier
from runbook.engine.outcome import Outcome
from runbook.engine.plan import Selection, plan
from runbook.engine.playbook import BoundStep, StepSpec
from runbook.engine.report import StepReport
from runbook.engine.run import Run

PLACE = Place("small.yml")


class NoArguments(BaseModel):
    """Nothing."""


@dataclass
class Surroundings:
    """What a small step has at hand."""

    world: dict[str, Any]
    facts: Facts
    report: StepReport
    pause: Callable[[float], None]


StepFunction = Callable[[Surroundings], StepResult]


@dataclass
class SmallLine:
    """Runs small steps on the real engine."""

    world: dict[str, Any] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    interruption: Interruption = field(default_factory=Interruption)
    confirms: bool = True

    def notify(self, event: Event) -> None:
        """Keep every event."""
        self.events.append(event)

    def play(
        self,
        steps: Mapping[str, StepFunction],
        needs: Mapping[str, Sequence[str | Need]] | None = None,
        *,
        check: bool = False,
        retries: int = 0,
        selection: Selection | None = None,
        parallel: int = 4,
        variables: Mapping[str, Any] | None = None,
    ) -> int:
        """Run the steps, by section; those without an entry in `needs` run in order."""
        awaited = {name: [_need(entry) for entry in entries] for name, entries in (needs or {}).items()}
        specs = [
            StepSpec(name, name, "small.step", {}, None, (), awaited.get(name), retries, "small", PLACE)
            for name in steps
        ]
        planned = plan(specs, selection or Selection(), variables or {})
        facts = Facts()
        run = Run(
            run_id="run",
            environment="small",
            tasks=("small",),
            check=check,
            parallel=parallel,
            steps=planned,
            bound={step.spec.section: self._bound(steps[step.spec.section]) for step in planned},
            suppliers=specs,
            make_context=lambda step, report: Surroundings(
                self.world, facts, report, self.interruption.pause
            ),
            ask=lambda change: self.confirms,
            notifier=Notifier([self]),
            interruption=self.interruption,
            facts=facts,
        )
        code = run.execute()
        self.outcomes = {outcome.section: outcome for outcome in self.events[-1].outcomes}  # type: ignore[union-attr] # the last event is RunEnded
        return code

    def ensure(self, name: str, value: Any = True, *, loss: str | None = None) -> StepFunction:
        """Make a step that sets one thing in the world."""

        def step(here: Surroundings) -> StepResult:
            found = here.facts.read((name,), lambda: self.world.get(name))
            if found != value:
                yield Change(
                    differences=[Difference(name, found, value)],
                    command=["set", name],
                    apply=lambda: self.write(name, value),
                    planned={(name,): value},
                    loss=loss,
                )
            return f"{name} is {value}"

        return step

    def write(self, name: str, value: Any) -> None:
        """Change the world, and remember that it was changed."""
        self.writes.append(name)
        self.world[name] = value

    @staticmethod
    def _bound(function: StepFunction) -> BoundStep:
        module = StepModule("small.step", "", "", NoArguments, lambda _, here: function(here))
        return BoundStep(module, NoArguments(), None)


def _need(entry: str | Need) -> Need:
    return entry if isinstance(entry, Need) else Need(entry, PLACE)


@pytest.fixture
def line() -> SmallLine:
    """An empty world and an engine over it."""
    return SmallLine()
