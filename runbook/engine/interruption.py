"""The operator's wish to end a run: waits end at once, calls that are under way are let finish."""

from __future__ import annotations

import threading

from runbook.engine.errors import InterruptedRunError


class Interruption:
    """Set once, by Ctrl-C; every wait of every step sees it."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.by_hand = False
        """Whether it was Ctrl-C: somebody is there who can be asked."""

    @property
    def requested(self) -> bool:
        """Whether the run should end."""
        return self._event.is_set()

    def request(self, *, by_hand: bool = False) -> None:
        """Ask the run to end."""
        self.by_hand = by_hand
        self._event.set()

    def pause(self, seconds: float) -> None:
        """Wait, unless the run should end.

        Raises:
            InterruptedRunError: the operator interrupted the run.
        """
        if self._event.wait(seconds):
            raise InterruptedRunError("interrupted", remedy="the same line goes on from what is there")
