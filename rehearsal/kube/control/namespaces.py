"""Namespaces: each gets its ServiceAccount, and takes its objects away with it."""

from __future__ import annotations

from collections.abc import Iterable

from rehearsal.kube.api.custom.kinds import served_kinds
from rehearsal.kube.api.kinds import kind_of
from rehearsal.kube.api.store import Event, Object
from rehearsal.kube.control.control_loop import Controller, Key, key_of


class Namespaces(Controller):
    """Creates the ServiceAccount `default`; deletes the objects of a Namespace that goes or is gone."""

    def keys(self, event: Event) -> Iterable[Key]:
        """Follow Namespaces, ServiceAccounts, and objects that leave a Namespace."""
        if event.kind.kind == "Namespace":
            return [key_of(event.object)]
        if event.kind.kind == "ServiceAccount" and event.type == "DELETED":
            return [("", event.object["metadata"]["namespace"])]
        return []

    def reconcile(self, key: Key) -> float | None:
        """Complete a living Namespace, or empty one that is not."""
        namespace = self.find("Namespace", key)
        name = key[1]
        if namespace is None:
            self._empty(name)
        elif self.store.get(kind_of("ServiceAccount"), name, "default") is None:
            account: Object = {"metadata": {"name": "default", "namespace": name}}
            self.store.create(kind_of("ServiceAccount"), account)
        return None

    def _empty(self, namespace: str) -> None:
        for kind in served_kinds(self.store):
            for obj in self.store.list(kind, namespace) if kind.namespaced else ():
                if "deletionTimestamp" not in obj["metadata"]:
                    self.store.delete(kind, *key_of(obj), grace_period_seconds=None)
