"""A view of some of a cluster's objects that is kept up to date by watches, as an informer does it.

Each selection is listed once, then watched from the list's version. A watch that ends, breaks or is refused
for the moment goes on from the last version that it saw; only a version that the API server has forgotten
(410, as an answer or as an event) is listed anew.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from runbook.clients.kube.client import KubeClient, WatchEvent
from runbook.clients.kube.failures import GoneError
from runbook.clients.kube.line import Line
from runbook.clients.kube.objects import Object, Reference, Selection
from runbook.engine.errors import CredentialsError, PassingError, RunbookError

_WATCH_SECONDS: Final = 240
"""How long one watch lasts; the API server then ends it, and tells the version to go on from."""
_QUIET_SECONDS: Final = 90.0
"""A watch without a byte is dead after so long: an API server sends a bookmark every minute."""
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0
_LONGEST_PAUSE_OPENED: Final = 1.0
"""Where the API server took the watch before it broke, it is there."""
_SHORT_SECONDS: Final = 0.5
_FORGIVEN_SECONDS: Final = 10.0
"""What failed before a watch that lasted for longer counts no more."""
_REFUSALS: Final = 8
"""An API server that starts may refuse, for a moment, what it granted before."""
_LOG_SECONDS: Final = 5.0
"""How long a log that was read counts as it was."""


class View:
    """Answers reads from what is watched; what is asked for the first time is watched from then on.

    Args:
        kube: the cluster.
    """

    def __init__(self, kube: KubeClient) -> None:
        self._kube = kube
        self._news = threading.Event()
        self._watched: dict[Selection, _Watched] = {}
        self._refused: dict[Selection, CredentialsError] = {}
        self._logs: dict[tuple[object, ...], tuple[float, str]] = {}

    def get(self, reference: Reference) -> Object | None:
        """Give one object; None where there is none.

        Raises:
            RunbookError: it may not be read, or, the first time, there was no answer.
        """
        return next(iter(self._of(Selection.of(reference))), None)

    def _of(self, selection: Selection) -> list[Object]:
        if selection in self._refused:
            raise self._refused[selection]
        if selection not in self._watched:
            try:
                self._watched[selection] = _Watched(self._kube, selection, self._news)
            except CredentialsError as error:
                self._refused[selection] = error
                raise
        return self._watched[selection].objects()

    def list(
        self,
        api_version: str,
        kind: str,
        namespace: str,
        labels: Mapping[str, str] | None = None,
        fields: str = "",
    ) -> list[Object]:
        """Give objects.

        Args:
            namespace: empty for all, or for a cluster-wide kind.
            labels: what they must carry.
            fields: a field selector.

        Raises:
            RunbookError: they may not be read, or, the first time, there was no answer.
        """
        selector = ",".join(f"{name}={value}" for name, value in (labels or {}).items())
        return self._of(Selection(api_version, kind, namespace, selector, fields))

    def logs(
        self, namespace: str, pod: str, container: str, *, previous: bool = False, tail: int | None = None
    ) -> str:
        """Read a container's log as the client does; what was read a moment ago is not asked for again."""
        key = (namespace, pod, container, previous, tail)
        read_at, text = self._logs.get(key, (0.0, ""))
        if time.monotonic() - read_at > _LOG_SECONDS or not text:
            text = self._kube.logs(namespace, pod, container, previous=previous, tail=tail)
            self._logs[key] = time.monotonic(), text
        return text

    def wait(self, seconds: float) -> bool:
        """Wait for news since the last time; tell whether there are any."""
        found = self._news.wait(seconds)
        self._news.clear()
        return found

    def tell(self) -> None:
        """Let a wait look again: something is new that no watch tells."""
        self._news.set()

    @property
    def trouble(self) -> str:
        """Say why something is not heard of at the moment; empty where all is."""
        return next((watched.trouble for watched in self._watched.values() if watched.trouble), "")

    def close(self) -> None:
        """End all watches."""
        for watched in self._watched.values():
            watched.close()


@contextmanager
def viewing(kube: KubeClient) -> Iterator[View]:
    """Keep a view for as long as the block lasts."""
    view = View(kube)
    try:
        yield view
    finally:
        view.close()


class _Watched:
    """One selection, listed at once and watched by a thread of its own.

    Args:
        news: set whenever something changes.

    Raises:
        RunbookError: it cannot be listed.
    """

    def __init__(self, kube: KubeClient, selection: Selection, news: threading.Event) -> None:
        self._kube = kube
        self._selection = selection
        self._news = news
        self._line = Line()
        self._lock = threading.Lock()
        self._objects: dict[tuple[str, str], Object] = {}
        self._version = ""
        self._failures = 0
        self._refusal: RunbookError | None = None
        self._trouble = ""
        self._list()
        threading.Thread(target=self._run, name=f"watch of {selection.kind}", daemon=True).start()

    def objects(self) -> list[Object]:
        """Give what is there.

        Raises:
            RunbookError: it may not be read any more.
        """
        if self._refusal is not None:
            raise self._refusal
        with self._lock:
            return list(self._objects.values())

    @property
    def trouble(self) -> str:
        """Say why the watch is broken for longer than a moment; empty where it is not."""
        return "" if self._line.is_carrying else self._trouble

    def close(self) -> None:
        """End the watch."""
        self._line.hang_up()

    def _run(self) -> None:
        while not self._line.is_ended and self._refusal is None:
            answers, begun = self._line.answers, time.monotonic()
            try:
                self._watch()
            except GoneError as error:
                self._version = ""
                self._failed(error, time.monotonic() - begun, opened=True)
            except RunbookError as error:
                if not self._line.is_ended:
                    self._failed(error, time.monotonic() - begun, opened=self._line.answers > answers)

    def _watch(self) -> None:
        if not self._version:
            self._list()
        begun = time.monotonic()
        for event in self._kube.watch(
            self._selection, self._version, _WATCH_SECONDS, _QUIET_SECONDS, self._line
        ):
            self._take(event)
            self._failures = 0
        if time.monotonic() - begun < _SHORT_SECONDS:
            raise PassingError("the cluster ends watches at once")
        self._failures = 0

    def _failed(self, error: RunbookError, seconds: float, *, opened: bool) -> None:
        """Rest before the next try, or give up where the API server goes on refusing."""
        self._failures = 1 if seconds > _FORGIVEN_SECONDS else self._failures + 1
        if not isinstance(error, PassingError) and self._failures >= _REFUSALS:
            self._refusal = error
            self._news.set()
            return
        self._trouble = error.message if self._failures > 1 else ""
        self._news.set()
        pause = min(
            _FIRST_PAUSE * 2.0 ** min(self._failures, 10), _LONGEST_PAUSE_OPENED if opened else _LONGEST_PAUSE
        )
        asked = (error.retry_after or 0.0) if isinstance(error, PassingError) else 0.0
        self._line.rest(max(pause * random.uniform(0.5, 1), asked))  # noqa: S311 - spreads requests

    def _list(self) -> None:
        found = self._kube.select(self._selection)
        with self._lock:
            self._objects = {_key(item): item for item in found.items}
        self._version = found.version
        self._news.set()

    def _take(self, event: WatchEvent) -> None:
        found = event.object
        self._version = found["metadata"]["resourceVersion"]
        if event.type == "BOOKMARK":
            return
        with self._lock:
            if event.type == "DELETED":
                self._objects.pop(_key(found), None)
            else:
                named = {"apiVersion": self._selection.api_version, "kind": self._selection.kind}
                self._objects[_key(found)] = {**named, **found}
        self._news.set()


def _key(found: Object) -> tuple[str, str]:
    metadata = found["metadata"]
    return metadata.get("namespace", ""), metadata["name"]
