"""Asks before a loss."""

from __future__ import annotations

import sys
import threading
from typing import Protocol

from runbook.engine.change import Change
from runbook.engine.errors import RefusedError


class Asking(Protocol):
    """A screen that can ask."""

    def ask(self, question: str) -> str:
        """Return what the operator answers."""
        ...


class Confirmation:
    """Has each loss confirmed.

    Args:
        beforehand: True where --yes confirmed all losses.
        screen: asks; None where nobody can be asked, as with --json.
    """

    def __init__(self, beforehand: bool, screen: Asking | None) -> None:
        self._beforehand = beforehand
        self._screen = screen
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
            return self._screen.ask(f"{change.loss}\nReally? [y/N]").casefold() in {"y", "yes"}
