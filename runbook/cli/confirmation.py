"""Asks before a loss."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Protocol

from runbook.engine.change import Change
from runbook.engine.errors import RefusedError


class Asking(Protocol):
    """A screen that can ask."""

    def ask(self, question: str, pause: Callable[[float], None]) -> str:
        """Return what the operator answers; `pause` ends the waiting when the run is interrupted."""
        ...


class Confirmation:
    """Has each loss confirmed.

    Args:
        beforehand: True where --yes confirmed all losses.
        screen: asks; None where nobody can be asked, as with --json.
        pause: waits for some seconds, or ends by the operator's interruption.
    """

    def __init__(self, beforehand: bool, screen: Asking | None, pause: Callable[[float], None]) -> None:
        self._beforehand = beforehand
        self._screen = screen
        self._pause = pause
        self._lock = threading.Lock()

    def ask(self, change: Change) -> bool:
        """Return whether the operator accepts what the change loses.

        Raises:
            RefusedError: nobody can be asked.
        """
        if self._beforehand:
            return True
        if not self._screen or not sys.stdin.isatty():
            raise RefusedError(
                f"this needs a yes and there is no terminal to ask on: {change.loss}",
                remedy="run with --yes to confirm every loss beforehand",
            )
        with self._lock:
            answer = self._screen.ask(f"loss: {change.loss}. Really? [y/N]", self._pause)
            return answer.casefold() in {"y", "yes"}

    def choose(self, question: str) -> str:
        """Ask the operator who has interrupted the run; another Ctrl-C ends the program at once.

        Returns:
            what they answer; empty where nobody can be asked, or --yes was given.
        """
        if self._beforehand or not self._screen or not sys.stdin.isatty():
            return ""
        with self._lock:
            try:
                return self._screen.ask(question, time.sleep)
            except OSError:
                return ""  # the terminal is gone
