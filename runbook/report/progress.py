"""What the running steps are doing right now, gathered from events."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field

from runbook.engine.events import ActionBegun, ConditionSeen, Event, StepEnded, StepStarted, Transferred

WINDOW_S = 10.0
"""The rate is that of the last seconds: what it was an hour ago says nothing of the time left."""


@dataclass
class Transfer:
    """One file on its way; bytes."""

    done: int
    total: int
    retries: int

    @property
    def on_the_way(self) -> bool:
        """Whether some bytes have come, and not all."""
        return 0 < self.done < self.total


@dataclass
class RunningStep:
    """A step between its start and its end.

    Args:
        section: such as `2.4`.
        name: such as `TPU node pool`.
        started: by the monotonic clock.
        condition: the last observed condition, or what is being done.
        transfers: files on their way, by name.
        seen: when how many bytes had come in all, of the last seconds.
    """

    section: str
    name: str
    started: float
    condition: str = ""
    transfers: dict[str, Transfer] = field(default_factory=dict)
    seen: deque[tuple[float, int]] = field(default_factory=deque)

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

    @property
    def retries(self) -> int:
        """How often its files were taken up again."""
        return sum(item.retries for item in self.transfers.values())

    @property
    def rate(self) -> float:
        """Bytes a second, over the last seconds; 0 where nothing moves."""
        if len(self.seen) < 2:
            return 0.0
        (then, before), (_, done) = self.seen[0], self.seen[-1]
        return max(0.0, (done - before) / max(time.monotonic() - then, 0.001))

    def take(self, name: str, transfer: Transfer) -> None:
        """Take one file's progress."""
        self.transfers[name] = transfer
        now = time.monotonic()
        self.seen.append((now, self.transferred[0]))
        while len(self.seen) > 2 and self.seen[0][0] < now - WINDOW_S:
            self.seen.popleft()


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
                transfer = Transfer(event.done, event.total, event.retries)
                self._running[step.section].take(event.name, transfer)
            case StepEnded(step=step):
                self._running.pop(step.section, None)
            case _:
                pass
