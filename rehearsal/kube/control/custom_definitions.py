"""CustomResourceDefinitions: accepted and established; the objects go before their definition."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rehearsal.kube.api.custom.kinds import kinds_of
from rehearsal.kube.api.kinds import Kind, kind_of
from rehearsal.kube.api.store import Event, Object, timestamp
from rehearsal.kube.control.control_loop import Controller, Key, key_of
from rehearsal.kube.control.finalizers import add_finalizer, release

_KIND = kind_of("CustomResourceDefinition")
_CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
_ACCEPTED = (
    ("NamesAccepted", "NoConflicts", "no conflicts found"),
    ("Established", "InitialNamesAccepted", "the initial names have been accepted"),
)


class CustomDefinitions(Controller):
    """Establishes the definitions; deletes all objects of one that goes, and lets it go when none is left."""

    def keys(self, event: Event) -> Iterable[Key]:
        """Follow definitions, and custom objects that go to their definition."""
        if event.kind == _KIND:
            return [key_of(event.object)]
        if event.kind.custom is not None and event.type == "DELETED":
            return [("", event.kind.resource)]
        return []

    def reconcile(self, key: Key) -> float | None:
        """Establish a definition, or clean up after one that is being deleted."""
        definition = self.find(_KIND.kind, key)
        if definition is None:
            return None
        if "deletionTimestamp" in definition["metadata"]:
            self._clean_up(definition)
        elif add_finalizer(definition, _CLEANUP):
            self.store.update(_KIND, definition)
        else:
            self.write_status(definition, _status(definition))
        return None

    def _clean_up(self, definition: Object) -> None:
        left = list(self._objects(definition))
        for kind, obj in left:
            if "deletionTimestamp" not in obj["metadata"]:
                self.store.delete(kind, *key_of(obj))
        if not left:
            release(self.store, _KIND, None, definition["metadata"]["name"], _CLEANUP)

    def _objects(self, definition: Object) -> Iterator[tuple[Kind, Object]]:
        for kind in list(kinds_of(definition))[:1]:
            for obj in self.store.list(kind):
                yield kind, obj


def _status(definition: Object) -> Object:
    spec, before = definition["spec"], definition.get("status") or {}
    known = {entry["type"]: entry for entry in before.get("conditions") or []}
    storage = next(version["name"] for version in spec["versions"] if version.get("storage"))
    stored = list(before.get("storedVersions") or [])
    return {
        "acceptedNames": spec["names"],
        "conditions": [
            known.get(kind) or _condition(kind, reason, message) for kind, reason, message in _ACCEPTED
        ],
        "storedVersions": stored if storage in stored else [*stored, storage],
    }


def _condition(kind: str, reason: str, message: str) -> Object:
    return {
        "type": kind,
        "status": "True",
        "reason": reason,
        "message": message,
        "lastTransitionTime": timestamp(),
    }
