"""How far a server is in its start-up, by its own log."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from runbook.clients.kube.client import KubeClient
from runbook.clients.kube.line import Line
from runbook.clients.kube.objects import Object
from runbook.engine.errors import RunbookError

_QUIET_SECONDS: Final = 300.0
"""Compiling says nothing for minutes."""
_PAUSE_SECONDS: Final = 1.0
_LONGEST: Final = 120

_MILESTONES: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"Application startup complete"), "listening"),
    (re.compile(r"Started server process|Waiting for application startup"), "opening its port"),
    (re.compile(r"Starting vLLM (?:API )?server"), "opening its port"),
    (
        re.compile(r"init engine \(profile, create kv cache, warmup model\) took ([\d.]+) s"),
        "engine ready after {} s",
    ),
    (re.compile(r"Compilation finished in ([\d.]+)"), "compiled in {} s"),
    (re.compile(r"Precompile (\S+) --> (.+)"), "compiling {}, {}"),
    (re.compile(r"Warming up model for the compilation|[Cc]ompiling|Capturing"), "compiling"),
    (re.compile(r"KV cache size: ([\d,]+) tokens"), "KV cache for {} tokens"),
    (
        re.compile(r"Total time to load model weights from storage to TPU: ([\d.]+)"),
        "weights loaded in {} s",
    ),
    (re.compile(r"Loading weights took ([\d.]+)"), "weights loaded in {} s"),
    (re.compile(r"Overall time to stream ([\d.]+ \S+)"), "weights read, {}"),
    (re.compile(r"Loading safetensors.*?(\d+)% Completed \| (\d+/\d+)"), "loading weights, {}% ({} files)"),
    (re.compile(r"Starting to load model"), "loading weights"),
    (re.compile(r"Initializing a V1 LLM engine"), "starting the engine"),
    (
        re.compile(r"vLLM API server version|non-default args|Resolved architecture"),
        "reading its configuration",
    ),
)
"""vLLM 0.13 to 0.32 and tpu-inference; the later in a start-up, the earlier in this list."""


def milestone(line: str) -> str:
    """Name what a line of vLLM's log says of its start-up; empty where it says nothing of it."""
    for pattern, text in _MILESTONES:
        if found := pattern.search(line):
            return text.format(*found.groups())
    return ""


@dataclass(frozen=True)
class _Run:
    """One run of one container."""

    namespace: str
    pod: str
    container: str
    restarts: int


class Startup:
    """Follows the log of whichever container runs now, in a thread of its own.

    Args:
        kube: the cluster.
        news: called when there is another milestone.
    """

    def __init__(self, kube: KubeClient, news: Callable[[], object]) -> None:
        self._kube = kube
        self._news = news
        self._run: _Run | None = None
        self._line = Line()
        self._said = ""

    def of(self, pod: Object) -> str:
        """Say how far the server of a Pod is; empty where nothing is known."""
        run = _running(pod)
        if run != self._run:
            self._line.hang_up()
            self._run, self._line, self._said = run, Line(), ""
            if run is not None:
                threading.Thread(
                    target=self._follow, args=(run, self._line), name="start-up", daemon=True
                ).start()
        return self._said

    def close(self) -> None:
        """Stop following."""
        self._line.hang_up()

    def _follow(self, run: _Run, line: Line) -> None:
        """Read to the container's end; after a break from the beginning, as a milestone may be said twice."""
        while not line.is_ended:
            try:
                with self._kube.follow(
                    run.namespace, run.pod, run.container, _QUIET_SECONDS, line=line
                ) as lines:
                    for text in lines:
                        self._hear(text, line)
            except RunbookError:
                # The view tells of trouble with the API server, and shows when the container has ended.
                pass
            line.rest(_PAUSE_SECONDS)

    def _hear(self, text: str, line: Line) -> None:
        said = milestone(text)
        if said and said != self._said and not line.is_ended:
            self._said = said[:_LONGEST]
            self._news()


def _running(pod: Object) -> _Run | None:
    metadata = pod["metadata"]
    container = pod["spec"]["containers"][0]["name"]
    for status in pod.get("status", {}).get("containerStatuses", ()):
        if status["name"] == container and "running" in status.get("state", {}):
            return _Run(metadata["namespace"], metadata["name"], container, status.get("restartCount", 0))
    return None
