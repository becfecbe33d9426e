"""Events: what the components of a cluster say about an object, counted when they say it again."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Iterable

from rehearsal.kube.api.kinds import kind_of
from rehearsal.kube.api.store import Event, Object, Store, timestamp
from rehearsal.kube.control.control_loop import Controller, Key, named
from rehearsal.kube.control.pods import seconds_since

_REMEMBERED = 500
_LIFE_SECONDS = 3600.0


class EventRecorder:
    """Writes the Events of one component.

    Args:
        component: `source.component`, such as kubelet or default-scheduler.
    """

    def __init__(self, store: Store, component: str) -> None:
        self._store = store
        self._component = component
        self._recent: OrderedDict[tuple[str, str, str], str] = OrderedDict()

    def normal(self, obj: Object, reason: str, message: str, **more: str) -> None:
        """Say that something happened as it should."""
        self._record(obj, "Normal", reason, message, **more)

    def warning(self, obj: Object, reason: str, message: str, **more: str) -> None:
        """Say that something is wrong."""
        self._record(obj, "Warning", reason, message, **more)

    def _record(
        self, obj: Object, severity: str, reason: str, message: str, field_path: str = "", host: str = ""
    ) -> None:
        identity = (obj["metadata"]["uid"], reason, message)
        namespace = obj["metadata"].get("namespace", "default")
        known = self._recent.get(identity)
        old = self._store.get(kind_of("Event"), namespace, known) if known else None
        if old is not None:
            old.update(count=old["count"] + 1, lastTimestamp=timestamp())
            self._store.update(kind_of("Event"), old)
            return
        new = self._event(obj, severity, reason, message, field_path, host)
        self._recent[identity] = self._store.create(kind_of("Event"), new)["metadata"]["name"]
        if len(self._recent) > _REMEMBERED:
            self._recent.popitem(last=False)

    def _event(
        self, obj: Object, severity: str, reason: str, message: str, field_path: str, host: str
    ) -> Object:
        metadata = obj["metadata"]
        namespace = metadata.get("namespace", "default")
        involved = {
            "apiVersion": obj["apiVersion"],
            "kind": obj["kind"],
            "name": metadata["name"],
            "uid": metadata["uid"],
            "resourceVersion": metadata.get("resourceVersion", ""),
        }
        involved |= {"namespace": metadata["namespace"]} if "namespace" in metadata else {}
        involved |= {"fieldPath": field_path} if field_path else {}
        now = timestamp()
        return {
            "metadata": {"name": f"{metadata['name']}.{secrets.token_hex(8)}", "namespace": namespace},
            "involvedObject": involved,
            "type": severity,
            "reason": reason,
            "message": message,
            "source": {"component": self._component} | ({"host": host} if host else {}),
            "firstTimestamp": now,
            "lastTimestamp": now,
            "eventTime": None,
            "count": 1,
            "reportingComponent": self._component,
            "reportingInstance": host,
        }


class EventExpiry(Controller):
    """Forgets Events an hour after they were last seen, as the API server does."""

    def keys(self, event: Event) -> Iterable[Key]:
        """Follow Events."""
        return named(event, "Event") if event.type != "DELETED" else []

    def reconcile(self, key: Key) -> float | None:
        """Delete an Event that is too old; else come back when it will be."""
        found = self.find("Event", key)
        if found is None:
            return None
        left = _LIFE_SECONDS - seconds_since(
            found.get("lastTimestamp") or found["metadata"]["creationTimestamp"]
        )
        if left > 0:
            return left
        self.store.delete(kind_of("Event"), *key)
        return None
