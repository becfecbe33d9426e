"""Finalizers: what keeps an object that is being deleted."""

from __future__ import annotations

from rehearsal.kube.api.kinds import Kind
from rehearsal.kube.api.store import Object, Store


def finalizers(obj: Object) -> list[str]:
    """Give an object's finalizers."""
    return list(obj["metadata"].get("finalizers") or [])


def add_finalizer(obj: Object, finalizer: str) -> bool:
    """Put a finalizer on an object that is about to be written; tell whether it was missing."""
    if finalizer in finalizers(obj):
        return False
    obj["metadata"]["finalizers"] = [*finalizers(obj), finalizer]
    return True


def release(store: Store, kind: Kind, namespace: str | None, name: str, finalizer: str) -> None:
    """Take one finalizer off an object; the last one taken removes an object that is being deleted."""
    obj = store.get(kind, namespace, name)
    if obj is None or finalizer not in finalizers(obj):
        return
    left = [entry for entry in finalizers(obj) if entry != finalizer]
    obj["metadata"].pop("finalizers")
    if left:
        obj["metadata"]["finalizers"] = left
    store.update(kind, obj)
