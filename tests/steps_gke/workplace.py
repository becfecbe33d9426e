"""One step at a time, run by the real engine against a real stand-in."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runbook.clients.connections import Connections
from runbook.config.load import load
from runbook.config.schema import Variables
from runbook.engine.change import Change
from runbook.engine.events import StepFace
from runbook.engine.execution import Execution
from runbook.engine.facts import Facts
from runbook.engine.manual import Manual
from runbook.engine.outcome import Outcome, Status
from runbook.steps.context import Context
from tests.rehearsal.stand_in import StandIn

ROOT = Path(__file__).parents[2]
READS = {"GET", "HEAD"}


@dataclass
class Voice:
    """Keeps what a step tells."""

    conditions: list[str] = field(default_factory=list)
    transfers: list[tuple[str, int, int, int]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def condition(self, text: str) -> None:
        self.conditions.append(text)

    def transferred(self, name: str, done: int, total: int, retries: int) -> None:
        self.transfers.append((name, done, total, retries))

    def output(self, text: str) -> None:
        raise AssertionError(text)

    def warning(self, text: str) -> None:
        self.warnings.append(text)


@dataclass
class Workplace:
    """A stand-in, variables, and the engine for single steps.

    Args:
        cloud: the stand-in.
        variables: of the environment `rehearsal`, with the test's own settings.
        ask: the operator's answer to a loss.
    """

    cloud: StandIn
    variables: Variables
    pause: Callable[[float], None] = time.sleep
    ask: Callable[[Change], bool] = lambda change: True
    voice: Voice = field(default_factory=Voice)

    def check(self, *uses: str, **arguments: Any) -> Outcome:
        """Check steps as one line does; give the last one's outcome."""
        return self._line(uses, arguments, check=True)[-1]

    def check_line(self, *uses: str) -> dict[str, Outcome]:
        """Check steps as one line does; give every outcome."""
        return dict(zip(uses, self._line(uses, {}, check=True), strict=True))

    def apply(self, *uses: str, **arguments: Any) -> Outcome:
        """Run steps as one line does; give the last one's outcome."""
        return self._line(uses, arguments, check=False)[-1]

    def converges(self, uses: str, **arguments: Any) -> list[Change]:
        """Check, apply and check a step that has something to do; give its changes.

        What holds for every step: a check writes nothing, the plan is what is done, then nothing is left.
        """
        planned = self.checked_without_a_write(uses, **arguments)
        assert planned.status is Status.WOULD_CHANGE, planned
        done = self.apply(uses, **arguments)
        assert done.status is Status.CHANGED, done.error
        assert faces(done) == faces(planned)
        again = self.checked_without_a_write(uses, **arguments)
        assert (again.status, again.changes) == (Status.OK, ()), again
        return list(done.changes)

    def checked_without_a_write(self, uses: str, **arguments: Any) -> Outcome:
        """Check a step; the stand-in sees no write."""
        before = len(self.writes())
        outcome = self.check(uses, **arguments)
        assert self.writes()[before:] == []
        return outcome

    def manual(self, uses: str, **arguments: Any) -> Manual:
        """Tell how a step is done by hand; no cloud is asked."""
        module = importlib.import_module(f"runbook.steps.{uses}")
        context = self._context(Facts(), Connections(self.variables, self.cloud.home.parent), check=True)
        manual: Manual = module.manual(module.Arguments(**arguments), context)
        return manual

    def writes(self) -> list[str]:
        """All writes that the stand-in got, such as `POST /v1/projects/...`."""
        return [
            f"{entry['method']} {entry['path']}"
            for entry in self.cloud.control("GET", "requests")
            if entry["method"] not in READS and "/_rehearsal/" not in entry["path"]
        ]

    def requests(self) -> list[str]:
        """All requests that the stand-in got."""
        return [f"{entry['method']} {entry['path']}" for entry in self.cloud.control("GET", "requests")]

    def _line(self, uses: Sequence[str], arguments: dict[str, Any], *, check: bool) -> list[Outcome]:
        facts = Facts()
        connections = Connections(self.variables, self.cloud.home.parent)
        context = self._context(facts, connections, check=check)
        try:
            return [self._step(name, arguments, context) for name in uses]
        finally:
            connections.close()

    def _step(self, uses: str, arguments: dict[str, Any], context: Context) -> Outcome:
        module = importlib.import_module(f"runbook.steps.{uses}")
        execution = Execution(
            face=StepFace(uses, uses, uses, ()),
            generate=lambda: module.run(module.Arguments(**arguments), context),
            check=context.check,
            retries=0,
            facts=context.facts,
            notify=lambda event: None,
            ask=self.ask,
            pause=self.pause,
        )
        return execution.run()

    def _context(self, facts: Facts, connections: Connections, *, check: bool) -> Context:
        return Context(
            environment="rehearsal",
            variables=self.variables,
            tree={},
            root=ROOT,
            home=self.cloud.home.parent,
            run_id="20261123-154200-1a2b",
            check=check,
            facts=facts,
            connections=connections,
            report=self.voice,
            keep=_not_kept,
            pause=self.pause,
        )


def _not_kept(resource: AbstractContextManager[Any]) -> Any:
    raise AssertionError(resource)


def faces(outcome: Outcome) -> list[tuple[Any, ...]]:
    """What an operator sees of an outcome's changes."""
    return [(tuple(change.differences), tuple(change.command), change.loss) for change in outcome.changes]


def paths(changes: Sequence[Change]) -> list[str]:
    """The paths of all differences."""
    return [difference.path for change in changes for difference in change.differences]


def variables_with(*settings: str) -> Variables:
    """The variables of the environment `rehearsal`, with settings such as `zone=us-central1-a`."""
    return load(ROOT, "rehearsal", settings, {}).variables


@contextmanager
def workplace_in(home: Path, *settings: str) -> Iterator[Workplace]:
    """Open an empty stand-in in a folder, and a workplace on it.

    Args:
        home: RUNBOOK_HOME.
    """
    cloud = StandIn(home / ".rehearsal")
    cloud.up()
    try:
        yield Workplace(cloud, variables_with(*settings))
    finally:
        cloud.session.close()
        cloud.down()
