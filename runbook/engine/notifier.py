"""Hands a run's events to its observers, one at a time."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from runbook.engine.events import (
    ConditionSeen,
    Event,
    Observer,
    OutputSeen,
    StepFace,
    Transferred,
    WarningSeen,
)


class Notifier:
    """Tells all observers, from any thread.

    Args:
        observers: told in this order.
    """

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = observers
        self._lock = threading.RLock()

    def notify(self, event: Event) -> None:
        """Tell every observer."""
        with self._lock:
            for observer in self._observers:
                observer.notify(event)


@dataclass(frozen=True)
class StepVoice:
    """A running step's report, turned into events (see `engine.report.StepReport`)."""

    face: StepFace
    notifier: Notifier

    def condition(self, text: str) -> None:
        """Tell the last observed condition of a wait."""
        self.notifier.notify(ConditionSeen(self.face, text))

    def transferred(self, name: str, done: int, total: int, retries: int) -> None:
        """Tell a transfer's progress, in bytes."""
        self.notifier.notify(Transferred(self.face, name, done, total, retries))

    def output(self, text: str) -> None:
        """Show the step's product."""
        self.notifier.notify(OutputSeen(self.face, text))

    def warning(self, text: str) -> None:
        """Tell what the operator should know."""
        self.notifier.notify(WarningSeen(self.face, text))
