"""The loop that wakes controllers: changes become keys, and each key is reconciled."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

from rehearsal.kube.api.custom.kinds import served_kinds
from rehearsal.kube.api.kinds import Kind, kind_of
from rehearsal.kube.api.store import Event, Object, Store, StoreError

Key = tuple[str, str]
"""Namespace (empty for cluster-wide kinds) and name."""

_RETRY_SECONDS = 1.0
_LOG = logging.getLogger(__name__)


class Controller(ABC):
    """One controller: level-triggered, so that it may be woken at any time and again after a restart."""

    def __init__(self, store: Store) -> None:
        self.store = store

    @abstractmethod
    def keys(self, event: Event) -> Iterable[Key]:
        """Name the objects to look at after a change."""

    @abstractmethod
    def reconcile(self, key: Key) -> float | None:
        """Bring one object closer to what it should be.

        Returns:
            the seconds after which to look again; None when only a change can matter.
        """

    def find(self, kind: str, key: Key) -> Object | None:
        """Read one object by its key."""
        return self.store.get(kind_of(kind), *key)

    def objects(self, kind: str, namespace: str | None = None) -> list[Object]:
        """Read all objects of a kind."""
        return self.store.list(kind_of(kind), namespace)

    def write_status(self, obj: Object, status: Object) -> None:
        """Replace an object's status; nothing is written where nothing differs."""
        self.store.update(kind_of(obj["kind"]), {**obj, "status": status}, status_only=True)


def key_of(obj: Object) -> Key:
    """Name an object by namespace and name."""
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


class ControlLoop:
    """Runs the controllers of one cluster.

    Args:
        store: the cluster's objects.
        controllers: in the order in which they are asked about a change.
    """

    def __init__(self, store: Store, controllers: Sequence[Controller]) -> None:
        self._store = store
        self._controllers = controllers
        self._pending: dict[tuple[Controller, Key], None] = {}
        self._timers: dict[tuple[Controller, Key], asyncio.TimerHandle] = {}

    async def run(self) -> None:
        """Look at every object once, then follow the changes until cancelled."""
        queue = self._store.subscribe()
        try:
            for event in _present(self._store):
                self._dispatch(event)
            while True:
                self._drain()
                await asyncio.sleep(0)  # requests are answered even while controllers keep each other busy
                self._dispatch(await queue.get())
                while not queue.empty():
                    self._dispatch(queue.get_nowait())
        finally:
            self._store.unsubscribe(queue)
            for timer in self._timers.values():
                timer.cancel()

    def _dispatch(self, event: Event) -> None:
        for controller in self._controllers:
            for key in controller.keys(event):
                self._pending[controller, key] = None

    def _drain(self) -> None:
        pending, self._pending = self._pending, {}
        for work in pending:
            self._work(work)

    def _work(self, work: tuple[Controller, Key]) -> None:
        timer = self._timers.pop(work, None)
        if timer is not None:
            timer.cancel()
        delay = self._reconcile(*work)
        if delay is not None:
            self._timers[work] = asyncio.get_running_loop().call_later(delay, self._work, work)

    def _reconcile(self, controller: Controller, key: Key) -> float | None:
        try:
            return controller.reconcile(key)
        except StoreError as error:
            _LOG.debug("%s %s: %r", type(controller).__name__, key, error)
            return _RETRY_SECONDS
        except Exception:  # noqa: BLE001 - one object that a controller cannot read must not stop the cluster
            _LOG.exception("%s could not reconcile %s", type(controller).__name__, key)
            return None


def _present(store: Store) -> Iterable[Event]:
    for kind in served_kinds(store):
        for obj in store.list(kind):
            yield Event("ADDED", kind, obj, None, store.resource_version)


def named(event: Event, kind: str) -> list[Key]:
    """Give the changed object's own key when it is of that kind."""
    return [key_of(event.object)] if _is(event.kind, kind) else []


def _is(kind: Kind, name: str) -> bool:
    return kind.kind == name
