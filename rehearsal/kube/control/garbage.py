"""Garbage collection by ownerReferences: in the background, in the foreground, or leaving orphans."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from rehearsal.kube.api.custom.kinds import served_kinds
from rehearsal.kube.api.kinds import Kind
from rehearsal.kube.api.store import Event, Object, Store
from rehearsal.kube.control.control_loop import Controller, Key
from rehearsal.kube.control.finalizers import finalizers, release
from rehearsal.kube.control.owners import references

Identity = tuple[str, str, str]
"""Plural with group, namespace, name."""

_FOREGROUND = "foregroundDeletion"
_ORPHAN = "orphan"


class GarbageCollector(Controller):
    """Deletes what lost all of its owners. Its keys are a resource and `namespace/name`."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._dependents: defaultdict[str, set[Identity]] = defaultdict(set)

    def keys(self, event: Event) -> Iterable[Key]:
        """Follow every object; its owners and its dependents may be concerned too."""
        obj, identity = event.object, _identity(event.kind, event.object)
        uid = obj["metadata"]["uid"]
        for owner in references(obj):
            self._note(owner["uid"], identity, event.type == "DELETED")
        concerned = [_key(identity)]
        if event.type == "DELETED":
            concerned += [_key(dependent) for dependent in self._dependents.pop(uid, ())]
            concerned += [_key(owner) for owner in self._owners(obj)]
        elif not references(obj) and "deletionTimestamp" not in obj["metadata"]:
            return []
        return concerned

    def _note(self, owner_uid: str, identity: Identity, gone: bool) -> None:
        if gone:
            self._dependents[owner_uid].discard(identity)
        else:
            self._dependents[owner_uid].add(identity)

    def reconcile(self, key: Key) -> float | None:
        """Delete an object whose owners are gone; see to the dependents of one that is being deleted."""
        namespace, _, name = key[1].partition("/")
        kind, obj = self._find(key[0], namespace, name)
        if kind is None or obj is None:
            return None
        if "deletionTimestamp" in obj["metadata"]:
            if _ORPHAN in finalizers(obj):
                self._orphan(kind, obj)
            elif _FOREGROUND in finalizers(obj):
                self._delete_dependents_first(kind, obj)
        elif references(obj):
            self._collect(kind, obj)
        return None

    def _collect(self, kind: Kind, obj: Object) -> None:
        owners = [self._owner(obj, reference) for reference in references(obj)]
        if all(owner is None for owner in owners):
            self._delete(kind, obj, "Background")
        elif all(owner is None or _FOREGROUND in _deleting_finalizers(owner) for owner in owners):
            blocking = any(reference.get("blockOwnerDeletion") for reference in references(obj))
            self._delete(kind, obj, "Foreground" if blocking and self._of(obj) else "Background")

    def _delete(self, kind: Kind, obj: Object, propagation: str) -> None:
        metadata = obj["metadata"]
        self.store.delete(
            kind,
            metadata.get("namespace"),
            metadata["name"],
            propagation=propagation,
            grace_period_seconds=None,
        )

    def _owner(self, obj: Object, reference: Object) -> Object | None:
        for kind in served_kinds(self.store):
            if kind.kind == reference["kind"] and kind.api_version == reference["apiVersion"]:
                namespace = obj["metadata"].get("namespace") if kind.namespaced else None
                found = self.store.get(kind, namespace, reference["name"])
                return found if found and found["metadata"]["uid"] == reference["uid"] else None
        return obj  # an owner of a kind that is not served here cannot be judged to be gone

    def _of(self, owner: Object) -> list[tuple[Kind, Object]]:
        """Give the objects that name an owner."""
        found = []
        for resource, namespace, name in self._dependents.get(owner["metadata"]["uid"], ()):
            kind, obj = self._find(resource, namespace, name)
            if kind is not None and obj is not None:
                found.append((kind, obj))
        return found

    def _find(self, resource: str, namespace: str, name: str) -> tuple[Kind | None, Object | None]:
        """Find an object, and its kind where that is still served."""
        kind = next((kind for kind in served_kinds(self.store) if kind.resource == resource), None)
        return kind, self.store.get(kind, namespace, name) if kind else None

    def _owners(self, obj: Object) -> list[Identity]:
        namespace = obj["metadata"].get("namespace", "")
        return [
            (kind.resource, namespace if kind.namespaced else "", reference["name"])
            for reference in references(obj)
            for kind in served_kinds(self.store)
            if (kind.kind, kind.api_version) == (reference["kind"], reference["apiVersion"])
        ]

    def _delete_dependents_first(self, kind: Kind, obj: Object) -> None:
        for dependent_kind, dependent in self._of(obj):
            if "deletionTimestamp" not in dependent["metadata"]:
                self._collect(dependent_kind, dependent)
        if not any(_blocks(dependent, obj["metadata"]["uid"]) for _, dependent in self._of(obj)):
            self._finish(kind, obj, _FOREGROUND)

    def _orphan(self, kind: Kind, obj: Object) -> None:
        uid = obj["metadata"]["uid"]
        for dependent_kind, dependent in self._of(obj):
            kept = [entry for entry in references(dependent) if entry["uid"] != uid]
            dependent["metadata"]["ownerReferences"] = kept
            self.store.update(dependent_kind, dependent)
        self._dependents.pop(uid, None)
        self._finish(kind, obj, _ORPHAN)

    def _finish(self, kind: Kind, obj: Object, finalizer: str) -> None:
        metadata = obj["metadata"]
        release(self.store, kind, metadata.get("namespace"), metadata["name"], finalizer)


def _blocks(dependent: Object, uid: str) -> bool:
    return any(entry.get("blockOwnerDeletion") for entry in references(dependent) if entry["uid"] == uid)


def _deleting_finalizers(owner: Object) -> list[str]:
    return finalizers(owner) if "deletionTimestamp" in owner["metadata"] else []


def _identity(kind: Kind, obj: Object) -> Identity:
    metadata = obj["metadata"]
    return kind.resource, metadata.get("namespace", ""), metadata["name"]


def _key(identity: Identity) -> Key:
    resource, namespace, name = identity
    return resource, f"{namespace}/{name}"
