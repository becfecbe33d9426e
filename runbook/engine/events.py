"""What a run tells while it goes on. Observers turn events into a console, JSON lines or a journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from runbook.engine.bill import Bill
from runbook.engine.change import Change
from runbook.engine.outcome import Outcome


@dataclass(frozen=True)
class StepFace:
    """A step as events name it.

    Args:
        section: such as `2.3.1`.
        name: such as `TPU node pool`.
        uses: the step module, such as `gke.node_pool`.
        needs: the sections on this line that come first.
    """

    section: str
    name: str
    uses: str
    needs: Sequence[str]


@dataclass(frozen=True)
class RunStarted:
    """A line of tasks begins.

    Args:
        run_id: the run's name and its folder under .runs/.
        environment: such as `rehearsal`.
        tasks: such as `("setup", "deploy")`.
        check: True where nothing will be changed.
        steps: all steps of the line, in playbook order.
    """

    run_id: str
    environment: str
    tasks: Sequence[str]
    check: bool
    steps: Sequence[StepFace]


@dataclass(frozen=True)
class StepStarted:
    """A step begins."""

    step: StepFace


@dataclass(frozen=True)
class ChangeBegun:
    """A change is about to be made, or in check mode would be."""

    step: StepFace
    change: Change


@dataclass(frozen=True)
class ActionBegun:
    """An action is about to be done: a wait, a forward, a question."""

    step: StepFace
    what: str
    command: Sequence[str]


@dataclass(frozen=True)
class ConditionSeen:
    """The last observed condition of something that takes long."""

    step: StepFace
    text: str


@dataclass(frozen=True)
class Transferred:
    """A transfer's progress; bytes, and how often the file was taken up again after a trouble."""

    step: StepFace
    name: str
    done: int
    total: int
    retries: int


@dataclass(frozen=True)
class OutputSeen:
    """Lines that are a step's product, such as a completion or a result block."""

    step: StepFace
    text: str


@dataclass(frozen=True)
class WarningSeen:
    """What the operator should know though nothing failed; without a step it is about the whole run."""

    step: StepFace | None
    text: str


@dataclass(frozen=True)
class StepEnded:
    """A step has ended."""

    step: StepFace
    outcome: Outcome


@dataclass(frozen=True)
class CostKnown:
    """What costs money as the line leaves it; in a check, as a run would leave it.

    Args:
        bills: each thing that bills, once.
        hourly: the sum of those with a price; None where none has one.
        currency: such as EUR; empty where no prices are known.
        note: what the operator should know of the figures.
        unread: sections whose part could not be read.
    """

    bills: Sequence[Bill]
    hourly: float | None
    currency: str
    note: str
    unread: Sequence[str]


@dataclass(frozen=True)
class RunEnded:
    """A line of tasks has ended.

    Args:
        outcomes: in playbook order.
        seconds: wall time.
        exit_code: 0, 1 or 2.
    """

    outcomes: Sequence[Outcome]
    seconds: float
    exit_code: int


Event = (
    RunStarted
    | StepStarted
    | ChangeBegun
    | ActionBegun
    | ConditionSeen
    | Transferred
    | OutputSeen
    | WarningSeen
    | StepEnded
    | CostKnown
    | RunEnded
)


class Observer(Protocol):
    """Something that shows or keeps what a run tells. It is called from many threads, one call at a time."""

    def notify(self, event: Event) -> None:
        """Take one event."""
        ...
