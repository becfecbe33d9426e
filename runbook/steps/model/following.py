"""A transfer on another host, followed through lost connections to its end."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeVar

from runbook.engine.errors import PassingError, RunbookError
from runbook.steps.context import Context
from runbook.transfer.telling import Listener

if TYPE_CHECKING:
    from runbook.clients.ssh_transfer import SshTransfer
    from runbook.transfer.detached import State
    from runbook.transfer.session import StoredObject

POLL_S: Final = 0.5
QUIET_S: Final = 3.0
"""Seconds without a word after which it is looked whether the transfer is still alive."""
MOST_FAILURES: Final = 10
"""Connections in a row that fail before the host is given up: about four minutes."""
MOST_PAUSE_S: Final = 30.0

T = TypeVar("T")


class Following:
    """Hands on what a transfer tells, from its first word.

    Args:
        context: of the step that follows.
        transfer: what is followed.
        state: as it was when it was found or started.
    """

    def __init__(self, context: Context, transfer: SshTransfer, state: State) -> None:
        self._context = context
        self._transfer = transfer
        self._state = state
        self._listener = Listener(context.report)
        self._position = 0
        self._begun_line = b""
        self._stray = ""

    def follow(self) -> Mapping[str, StoredObject]:
        """Wait for its end; give the objects by the files' paths.

        Raises:
            PassingError: it died without a word, or the host is not reached any more.
            RunbookError: it failed, with its own cause, place and remedy.
        """
        heard_at = time.monotonic()
        while not self._listener.ended:
            if self._hear():
                heard_at = time.monotonic()
            elif time.monotonic() - heard_at > QUIET_S:
                self._see_alive()
                heard_at = time.monotonic()
            self._context.pause(POLL_S)
        return self._listener.moved

    def stop(self) -> None:
        """Ask it to end; it keeps how far each file is."""
        try:
            self._transfer.stop()
        except RunbookError as error:
            self._context.report.warning(
                f"{self._transfer.host}: the transfer there could not be ended ({error.message}); "
                "it goes on, and the next run joins it"
            )

    def _hear(self) -> bool:
        """Take what was told since; tell whether it was anything."""
        piece = self._persistently(lambda: self._transfer.log(self._state, self._position))
        self._position += len(piece)
        *lines, self._begun_line = (self._begun_line + piece).split(b"\n")
        for line in lines:
            text = line.decode(errors="replace")
            self._stray = self._stray if text.startswith("{") else text
            self._listener.hear(text)
        return bool(piece)

    def _see_alive(self) -> None:
        found = self._persistently(self._transfer.look)
        if found.running and found.log == self._state.log:
            return
        while self._hear():
            pass
        if not self._listener.ended:
            stray = f": {self._stray}" if self._stray else ""
            raise PassingError(f"{self._transfer.host}: the transfer there ended without a word{stray}")

    def _persistently(self, ask: Callable[[], T]) -> T:
        for failures in range(MOST_FAILURES):
            try:
                return ask()
            except PassingError as error:
                wait = min(MOST_PAUSE_S, 2**failures) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
                self._context.report.warning(
                    f"{self._transfer.host}: {error.message}; the transfer goes on there, "
                    f"connecting again in {wait:.1f} s"
                )
                self._transfer.disconnect()
                self._context.pause(wait)
        return ask()
