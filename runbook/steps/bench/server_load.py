"""What the server does while it is measured: its counters, or where they cannot be read, its log."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from runbook.clients.kube.service import is_ready
from runbook.engine.errors import FailedError, RunbookError
from runbook.measurement.progress import Logged, Pulse, logged
from runbook.measurement.server import Load
from runbook.steps.bench.asking import asked
from runbook.steps.bench.witness import server_pods
from runbook.steps.context import Context
from runbook.steps.kube.cluster import client

_TIMEOUT_SECONDS: Final = 10.0
_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 2.0
_AGAIN_SECONDS: Final = 10.0
"""As often as vLLM writes its line; then the counters are tried again."""
_LAST_LINES: Final = 60


class ServerLoad:
    """Looks at the server again and again, in a thread of its own.

    Args:
        context: of the step that follows a benchmark.
        pulse: takes the counters.
        news: called when something new is known.
    """

    def __init__(self, context: Context, pulse: Pulse, news: Callable[[], object]) -> None:
        self._context = context
        self._pulse = pulse
        self._news = news
        self._ended = threading.Event()
        self.logged: Logged | None = None
        """What the servers' logs say; None while the counters tell it."""
        self._thread = threading.Thread(target=self._run, name="server load", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the looking."""
        self._ended.set()
        self._thread.join(_TIMEOUT_SECONDS + 1)

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self._read_counters()
            except RunbookError:
                # no such right, no answer, another kind of server, or more than one: their logs may tell
                self._pulse.forget()
                self._read_logs()
                self._ended.wait(_AGAIN_SECONDS)

    def _read_counters(self) -> None:
        if sum(is_ready(pod) for pod in server_pods(self._context)) != 1:
            raise FailedError("each connection would lead to another server")
        with asked(self._context, _TIMEOUT_SECONDS, lambda _: None, once=True) as server:
            pause = _FIRST_PAUSE
            while not self._ended.is_set():
                load = Load.of_page(server.metrics())
                if load is None:
                    raise FailedError("this is no page of vLLM's")
                self.logged = None
                self._pulse.take(time.monotonic(), load)
                self._news()
                self._ended.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    def _read_logs(self) -> None:
        try:
            self.logged = logged(self._texts())
        except RunbookError:
            self.logged = None  # the client's own bar is left
        self._news()

    def _texts(self) -> list[str]:
        kube = client(self._context)
        return [
            kube.logs(
                pod["metadata"]["namespace"],
                pod["metadata"]["name"],
                pod["spec"]["containers"][0]["name"],
                tail=_LAST_LINES,
            )
            for pod in server_pods(self._context)
        ]
