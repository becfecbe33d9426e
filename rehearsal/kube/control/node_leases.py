"""Leases of the Nodes: the heartbeat by which a control plane knows that a kubelet lives."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from rehearsal.kube.api.kinds import kind_of
from rehearsal.kube.api.store import Event, Object
from rehearsal.kube.control.control_loop import Controller, Key, named

_NAMESPACE = "kube-node-lease"
_DURATION_SECONDS = 40
_RENEWED_EVERY_SECONDS = 10.0
"""The kubelet's defaults (Kubernetes documentation, Nodes: node heartbeats)."""


class NodeLeases(Controller):
    """Renews the Lease of each Node; it goes with its Node, which owns it."""

    def keys(self, event: Event) -> Iterable[Key]:
        """Follow Nodes as they come."""
        return named(event, "Node") if event.type == "ADDED" else []

    def reconcile(self, key: Key) -> float | None:
        """Renew one Lease, and come back for the next time."""
        node = self.find("Node", key)
        if node is None:
            return None
        kind = kind_of("Lease")
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        lease = self.store.get(kind, _NAMESPACE, key[1])
        if lease is None:
            self.store.create(kind, _lease(node, now))
        else:
            lease["spec"]["renewTime"] = now
            self.store.update(kind, lease)
        return _RENEWED_EVERY_SECONDS


def _lease(node: Object, now: str) -> Object:
    name, uid = node["metadata"]["name"], node["metadata"]["uid"]
    owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": uid}
    return {
        "metadata": {"name": name, "namespace": _NAMESPACE, "ownerReferences": [owner]},
        "spec": {"holderIdentity": name, "leaseDurationSeconds": _DURATION_SECONDS, "renewTime": now},
    }
