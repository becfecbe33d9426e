"""Steps name what bills when the line has ended; one that cannot tell is said, and fails nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from runbook.engine.bill import Bill, Pricing
from runbook.engine.change import StepResult
from runbook.engine.errors import MissingError, Place
from runbook.engine.events import CostKnown, Event
from runbook.engine.interruption import Interruption
from runbook.engine.module import StepModule
from runbook.engine.notifier import Notifier
from runbook.engine.plan import Selection, plan
from runbook.engine.playbook import BoundStep, StepSpec
from runbook.engine.run import Run
from tests.engine.conftest import NoArguments

Bills = Callable[[], Sequence[Bill]]


class Told:
    """Keeps events."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def notify(self, event: Event) -> None:
        self.events.append(event)

    @property
    def costs(self) -> list[CostKnown]:
        return [event for event in self.events if isinstance(event, CostKnown)]


def nothing_to_do() -> StepResult:
    yield from ()
    return "as it should be"


def play(bills: dict[str, Bills | None], interruption: Interruption | None = None) -> tuple[int, Told]:
    """Run a line of steps that change nothing, by section."""

    def bound(named: Bills | None) -> BoundStep:
        module = StepModule("small.step", "", "", NoArguments, lambda _, here: nothing_to_do())
        told = StepModule(**vars(module) | {"bills": (lambda _, here: named()) if named else None})
        return BoundStep(told, NoArguments(), None)

    specs = [
        StepSpec(name, name, "small.step", {}, None, (), None, 0, "small", Place("small.yml"))
        for name in bills
    ]
    told = Told()
    code = Run(
        run_id="run",
        environment="small",
        tasks=("small",),
        check=False,
        parallel=1,
        steps=plan(specs, Selection(), {}),
        bound={name: bound(named) for name, named in bills.items()},
        suppliers=specs,
        make_context=lambda step, report: None,
        ask=lambda change: True,
        notifier=Notifier([told]),
        interruption=interruption or Interruption(),
        pricing=Pricing("XTS", "made up"),
    ).execute()
    return code, told


def cannot_tell() -> Sequence[Bill]:
    raise MissingError("the cluster is gone", supplied_by="small.step")


def test_all_that_bills_is_told_once_before_the_end() -> None:
    code, told = play(
        {"1": lambda: [Bill("a", "", 1.0)], "2": lambda: [Bill("a", "", 1.0), Bill("b", "", None)]}
    )
    (known,) = told.costs
    assert code == 0
    assert known == CostKnown((Bill("a", "", 1.0), Bill("b", "", None)), 1.0, "XTS", "made up", [])
    assert told.events.index(known) == len(told.events) - 2


def test_a_step_that_cannot_tell_is_named_and_fails_nothing() -> None:
    code, told = play({"1": cannot_tell, "2": lambda: [Bill("b", "", None)]})
    (known,) = told.costs
    assert (code, known.unread, known.hourly) == (0, ["1"], None)
    assert [bill.resource for bill in known.bills] == ["b"]


def test_a_line_of_steps_that_make_nothing_that_bills_tells_nothing() -> None:
    _, told = play({"1": None})
    assert told.costs == []


def test_an_interrupted_line_asks_nothing_more() -> None:
    interruption = Interruption()
    interruption.request()
    code, told = play({"1": cannot_tell}, interruption)
    assert (code, told.costs) == (1, [])
