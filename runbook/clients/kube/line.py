"""An answer that comes for as long as somebody listens, and that another thread can end."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any


class Line:
    """At most one answer at a time; once it was hung up it carries no more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answer: Any = None
        self._ended = threading.Event()
        self.answers = 0
        """How many it has carried so far."""

    @property
    def is_ended(self) -> bool:
        """Tell whether it was hung up."""
        return self._ended.is_set()

    @property
    def is_carrying(self) -> bool:
        """Tell whether there is an answer that goes on."""
        return self._answer is not None

    def hang_up(self) -> None:
        """End the answer: whoever reads it reads its end, or an error, at once."""
        self._ended.set()
        with self._lock:
            if self._answer is not None:
                _shut(self._answer)

    def rest(self, seconds: float) -> None:
        """Wait, though not after it was hung up."""
        self._ended.wait(seconds)

    @contextmanager
    def carrying(self, answer: Any) -> Iterator[None]:
        """Carry an answer for as long as the block lasts.

        Args:
            answer: of urllib3.
        """
        with self._lock:
            self._answer = answer
            self.answers += 1
            if self.is_ended:
                _shut(answer)
        try:
            yield
        finally:
            with self._lock:
                self._answer = None


def _shut(answer: Any) -> None:
    """End what comes of an answer; nothing is left to do where it has ended by itself."""
    with suppress(OSError, RuntimeError):
        try:
            answer.shutdown()
        except ValueError:  # TLS in TLS, as a proxy may have its own: urllib3 cannot shut that down
            _shut_socket(answer)


def _shut_socket(answer: Any) -> None:
    with suppress(ValueError, AttributeError):  # what urllib3 and http.client raise for one that is closed
        descriptor = os.dup(answer.fileno())
        with socket.socket(fileno=descriptor) as shared:
            shared.shutdown(socket.SHUT_RD)
