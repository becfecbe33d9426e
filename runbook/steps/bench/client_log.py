"""The log of a benchmark's client, followed line by line while it runs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from runbook.clients.kube.client import KubeClient
from runbook.clients.kube.line import Line
from runbook.clients.kube.objects import Object
from runbook.engine.errors import RunbookError
from runbook.measurement.lines import Progress, last_progress

_QUIET_SECONDS: Final = 300.0
"""With all requests at once none ends for minutes, and the bar stands still."""
_PAUSE_SECONDS: Final = 1.0
_NOT_FOR_PEOPLE: Final = ("bench.json:", "-----", "Namespace(")
"""How lines begin that carry the saved result, or all options at once."""
_LONGEST: Final = 120


class ClientLog:
    """Follows the log of whichever Pod the Job has, in a thread of its own.

    Args:
        kube: the cluster.
        news: called when there is another line.
    """

    def __init__(self, kube: KubeClient, news: Callable[[], object]) -> None:
        self._kube = kube
        self._news = news
        self._pod = ""
        self._line = Line()
        self._lines: list[str] = []
        self.bar: Progress | None = None
        """The progress bar as it was drawn last."""
        self.said = ""
        """The last line for people."""

    @property
    def text(self) -> str:
        """All that was read."""
        return "".join(f"{line}\n" for line in self._lines)

    def of(self, pod: Object) -> None:
        """Follow a Pod's log, where it is not yet followed."""
        name = pod["metadata"]["name"]
        if name == self._pod:
            return
        self._line.hang_up()
        self._pod, self._line = name, Line()
        threading.Thread(
            target=self._follow, args=(pod, self._line), name="log of the client", daemon=True
        ).start()

    def close(self) -> None:
        """Stop following."""
        self._line.hang_up()

    def _follow(self, pod: Object, line: Line) -> None:
        """Read to the container's end; after a break from the beginning, without what is known."""
        metadata = pod["metadata"]
        container = pod["spec"]["containers"][0]["name"]
        while not line.is_ended:
            known, read = len(self._lines), 0
            try:
                with self._kube.follow(
                    metadata["namespace"], metadata["name"], container, _QUIET_SECONDS, line=line
                ) as stream:
                    for text in stream:
                        read += 1
                        if read > known and not line.is_ended:
                            self._hear(text)
            except RunbookError:
                pass  # the view tells of trouble with the API server, and shows when the Job has ended
            line.rest(_PAUSE_SECONDS)

    def _hear(self, text: str) -> None:
        self._lines.append(text)
        bar = last_progress([text])
        if bar is not None:
            self.bar = bar
        elif text.strip() and not text.startswith(_NOT_FOR_PEOPLE):
            self.said = text.strip()[:_LONGEST]
        self._news()
