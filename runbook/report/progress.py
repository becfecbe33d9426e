"""What the running steps are doing right now, gathered from events."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from runbook.engine.events import ActionBegun, ConditionSeen, Event, StepEnded, StepStarted, Transferred


@dataclass
class Transfer:
    """One file on its way; bytes."""

    done: int
    total: int


@dataclass
class RunningStep:
    """A step between its start and its end.

    Args:
        section: such as `2.4`.
        name: such as `TPU node pool`.
        started: by the monotonic clock.
        condition: the last observed condition, or what is being done.
        transfers: files on their way, by name.
    """

    section: str
    name: str
    started: float
    condition: str = ""
    transfers: dict[str, Transfer] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """How long the step has been running."""
        return time.monotonic() - self.started

    @property
    def transferred(self) -> tuple[int, int]:
        """Bytes done and in all, over its files."""
        return (
            sum(item.done for item in self.transfers.values()),
            sum(item.total for item in self.transfers.values()),
        )


class Progress:
    """Keeps the running steps in the order of their start."""

    def __init__(self) -> None:
        self._running: dict[str, RunningStep] = {}

    def running(self) -> list[RunningStep]:
        """List the running steps."""
        return list(self._running.values())

    def is_running(self, section: str) -> bool:
        """Tell whether a step is between its start and its end."""
        return section in self._running

    def notify(self, event: Event) -> None:
        """Take what the event says of a running step."""
        match event:
            case StepStarted(step=step):
                self._running[step.section] = RunningStep(step.section, step.name, time.monotonic())
            case ActionBegun(step=step, what=text) | ConditionSeen(step=step, text=text) if self.is_running(
                step.section
            ):
                self._running[step.section].condition = text
            case Transferred(step=step) if self.is_running(step.section):
                self._running[step.section].transfers[event.name] = Transfer(event.done, event.total)
            case StepEnded(step=step):
                self._running.pop(step.section, None)
            case _:
                pass
