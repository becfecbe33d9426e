"""The objects of one cluster: versions, generations, finalizers and the stream of changes."""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections import deque
from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

from rehearsal.kube.api.kinds import Kind, kind_of

Object = dict[str, Any]
_Json = TypeVar("_Json")
_VERSION_KEY = "resourceVersion"
_HISTORY = 2000
_SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_GARBAGE_COLLECTION = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}
_SYSTEM_FIELDS = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")
_OPTIONAL_METADATA = ("annotations", "finalizers", "labels", "ownerReferences")
_DEFAULT_GRACE_SECONDS = 30


class StoreError(Exception):
    """What the store refuses."""


class NotFound(StoreError):  # noqa: N818 - the API's own reason
    """There is no object of that name."""


class AlreadyExists(StoreError):  # noqa: N818 - the API's own reason
    """An object of that name is there."""


class Conflict(StoreError):  # noqa: N818 - the API's own reason
    """The object was changed since the caller read it."""


class Gone(StoreError):  # noqa: N818 - the API's own reason
    """The changes since that resourceVersion are no longer known."""


@dataclass(frozen=True)
class Event:
    """One change of one object.

    Args:
        type: ADDED, MODIFIED or DELETED.
        object: as it is after the change (for DELETED: as it was last).
        previous: as it was before the change; None when it was added.
    """

    type: str
    kind: Kind
    object: Object
    previous: Object | None
    resource_version: int


Events = list[Event]


def timestamp(seconds: int = 0) -> str:
    """Give the time in so many seconds as Kubernetes writes it, to the second."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def clone(value: _Json) -> _Json:
    """Copy a JSON value; much faster than copy.deepcopy."""
    copied: Any = value
    if isinstance(value, dict):
        copied = {key: clone(item) for key, item in value.items()}
    elif isinstance(value, list):
        copied = [clone(item) for item in value]
    return cast(_Json, copied)


def generate_name(prefix: str) -> str:
    """Complete `metadata.generateName` as the API server does, with five harmless letters."""
    return prefix + "".join(secrets.choice(_SUFFIX_ALPHABET) for _ in range(5))


class Store:
    """All objects of one cluster, synchronous, used from one event loop. Objects handed out are copies.

    Args:
        collection: where the objects outlive the process, by `group/plural/namespace/name`.
    """

    def __init__(self, collection: MutableMapping[str, Object]) -> None:
        self._collection = collection
        self._objects: dict[str, Object] = {}
        self._history: deque[Event] = deque(maxlen=_HISTORY)
        self._subscribers: list[asyncio.Queue[Event]] = []
        self._changed: dict[str, int] = {}
        self.resource_version = 0
        self._load()
        self._oldest = self.resource_version
        self._seed()

    def get(self, kind: Kind, namespace: str | None, name: str) -> Object | None:
        """Give one object, or None. The namespace of a cluster-wide kind is None or empty."""
        found = self._objects.get(_key(kind, namespace, name))
        return _as(kind, found) if found is not None else None

    def list(self, kind: Kind, namespace: str | None = None) -> list[Object]:
        """Give the objects of a kind, of one Namespace or of all, ordered by namespace and name."""
        prefix = f"{kind.group}/{kind.plural}/" + (f"{namespace}/" if namespace else "")
        return [_as(kind, self._objects[key]) for key in sorted(self._objects) if key.startswith(prefix)]

    def changed(self, kind: Kind) -> int:
        """Give the version of the last change of any object of a kind; 0 where there was none yet."""
        return self._changed.get(kind.resource, 0)

    def create(self, kind: Kind, obj: Object, *, dry_run: bool = False) -> Object:
        """Keep a new object, under metadata.name or a name made from metadata.generateName.

        Args:
            dry_run: give what would be kept, and keep nothing.

        Raises:
            AlreadyExists: an object of that name is there.
        """
        new = clone(obj)
        new.update(apiVersion=kind.api_version, kind=kind.kind)
        metadata = new.setdefault("metadata", {})
        _drop_empty(metadata)
        if not metadata.get("name"):
            metadata["name"] = generate_name(metadata["generateName"])
        key = _key(kind, metadata.get("namespace"), metadata["name"])
        if key in self._objects:
            raise AlreadyExists(metadata["name"])
        metadata["uid"] = metadata.get("uid") or str(uuid.uuid4())
        metadata["creationTimestamp"] = timestamp()
        if kind.generation:
            metadata["generation"] = 1
        if dry_run:
            return new
        return self._write("ADDED", kind, key, new, None)

    def update(self, kind: Kind, obj: Object, *, status_only: bool = False, dry_run: bool = False) -> Object:
        """Replace an object. Nothing happens, and no event is sent, where nothing differs.

        generation counts changes outside metadata and status. The last finalizer gone from an object that
        has a deletionTimestamp removes it.

        Args:
            status_only: take only `status` from the object given.
            dry_run: give what would be kept, and keep nothing.

        Raises:
            NotFound: it is not there.
            Conflict: metadata.resourceVersion is given and is not the present one.
        """
        metadata = obj["metadata"]
        key = _key(kind, metadata.get("namespace"), metadata["name"])
        old = self._objects.get(key)
        if old is None:
            raise NotFound(metadata["name"])
        self._check_version(old, metadata.get("resourceVersion"))
        new = {**clone(old), "status": clone(obj.get("status", {}))} if status_only else _successor(old, obj)
        if new == old:
            return clone(new)
        if kind.generation and _desired(kind, new) != _desired(kind, old):
            new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
        return new if dry_run else self._settle(kind, key, new, old)

    def delete(
        self,
        kind: Kind,
        namespace: str | None,
        name: str,
        *,
        propagation: str = "Background",
        grace_period_seconds: int | None = 0,
    ) -> Object:
        """Remove an object, or mark it with a deletionTimestamp while something must happen first.

        It is only marked while it has finalizers, and, unless the grace period is 0, while it is a Pod that
        has a node and has not ended: the node then stops the containers and deletes it with grace period 0.

        Args:
            propagation: Background, Foreground or Orphan; the last two add the collector's finalizer.
            grace_period_seconds: how long a Pod may take to end; None = as its spec says.

        Raises:
            NotFound: it is not there.
        """
        key = _key(kind, namespace, name)
        old = self._objects.get(key)
        if old is None:
            raise NotFound(name)
        new = clone(old)
        metadata = new["metadata"]
        finalizer = _GARBAGE_COLLECTION.get(propagation)
        if finalizer and finalizer not in metadata.get("finalizers", []):
            metadata.setdefault("finalizers", []).append(finalizer)
        grace = _grace(kind, new, grace_period_seconds)
        metadata.setdefault("deletionTimestamp", timestamp(grace))
        metadata["deletionGracePeriodSeconds"] = grace
        if kind.generation and "deletionTimestamp" not in old["metadata"]:
            metadata["generation"] = metadata.get("generation", 0) + 1
        return clone(new) if new == old else self._settle(kind, key, new, old)

    def subscribe(self) -> asyncio.Queue[Event]:
        """Open a queue that gets every change from now on."""
        queue: asyncio.Queue[Event] = asyncio.Queue()
        self._subscribers.append(queue)
        return queue

    def unsubscribe(self, queue: asyncio.Queue[Event]) -> None:
        """Close a queue of `subscribe`."""
        self._subscribers.remove(queue)

    def since(self, resource_version: int) -> Events:
        """Give the changes after a version.

        Raises:
            Gone: they are no longer known; the caller must list again.
        """
        if resource_version < self._oldest:
            raise Gone(f"too old resource version: {resource_version} ({self._oldest})")
        return [event for event in self._history if event.resource_version > resource_version]

    def _load(self) -> None:
        for key, value in self._collection.items():
            if key == _VERSION_KEY:
                self.resource_version = max(self.resource_version, value["value"])
            else:
                self._objects[key] = value
                version = int(value["metadata"]["resourceVersion"])
                self.resource_version = max(self.resource_version, version)

    def _seed(self) -> None:
        for name in ("default", "kube-system", "kube-public", "kube-node-lease"):
            if self.get(kind_of("Namespace"), None, name) is None:
                labels = {"kubernetes.io/metadata.name": name}
                self.create(
                    kind_of("Namespace"),
                    {
                        "metadata": {"name": name, "labels": labels},
                        "spec": {"finalizers": ["kubernetes"]},
                        "status": {"phase": "Active"},
                    },
                )
            if self.get(kind_of("ServiceAccount"), name, "default") is None:
                self.create(kind_of("ServiceAccount"), {"metadata": {"name": "default", "namespace": name}})

    def _check_version(self, old: Object, version: str | None) -> None:
        if version and version != old["metadata"]["resourceVersion"]:
            raise Conflict(old["metadata"]["name"])

    def _settle(self, kind: Kind, key: str, new: Object, old: Object) -> Object:
        metadata = new["metadata"]
        waits = metadata.get("finalizers") or metadata.get("deletionGracePeriodSeconds")
        if metadata.get("deletionTimestamp") and not waits:
            return self._write("DELETED", kind, key, new, old)
        return self._write("MODIFIED", kind, key, new, old)

    def _write(self, change: str, kind: Kind, key: str, new: Object, old: Object | None) -> Object:
        self.resource_version += 1
        self._changed[kind.resource] = self.resource_version
        new["metadata"]["resourceVersion"] = str(self.resource_version)
        if change == "DELETED":
            del self._objects[key]
            del self._collection[key]
        else:
            self._objects[key] = new
            self._collection[key] = new
        self._collection[_VERSION_KEY] = {"value": self.resource_version}
        if len(self._history) == _HISTORY:
            self._oldest = self._history[0].resource_version
        event = Event(change, kind, clone(new), clone(old), self.resource_version)
        self._history.append(event)
        for queue in self._subscribers:
            queue.put_nowait(event)
        return _as(kind, new)


def _as(kind: Kind, obj: Object) -> Object:
    """Copy an object as one version of its kind shows it."""
    shown = clone(obj)
    shown["apiVersion"] = kind.api_version
    return shown


def _key(kind: Kind, namespace: str | None, name: str) -> str:
    return f"{kind.group}/{kind.plural}/{namespace or ''}/{name}"


def _desired(kind: Kind, obj: Object) -> Object:
    observed = {"metadata", "status"} if kind.status else {"metadata"}
    return {key: value for key, value in obj.items() if key not in observed}


def _successor(old: Object, obj: Object) -> Object:
    """Take the object given, but what only the store decides from the one it replaces."""
    new: Object = clone(obj)
    new.update(apiVersion=old["apiVersion"], kind=old["kind"])
    for field in (*_SYSTEM_FIELDS, "resourceVersion"):
        new["metadata"].pop(field, None)
        if field in old["metadata"]:
            new["metadata"][field] = old["metadata"][field]
    _drop_empty(new["metadata"])
    return new


def _drop_empty(metadata: Object) -> None:
    """Leave out what says nothing, as the API server's encoding does."""
    for field in _OPTIONAL_METADATA:
        if field in metadata and not metadata[field]:
            del metadata[field]


def _grace(kind: Kind, pod: Object, seconds: int | None) -> int:
    if kind.kind != "Pod" or not pod.get("spec", {}).get("nodeName"):
        return 0
    if pod.get("status", {}).get("phase") in {"Succeeded", "Failed"}:
        return 0
    if seconds is None:
        return int(pod["spec"].get("terminationGracePeriodSeconds", _DEFAULT_GRACE_SECONDS))
    return seconds
