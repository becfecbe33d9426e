"""The objects that an API server makes by itself in every cluster."""

from __future__ import annotations

from rehearsal.kube.api.defaults import set_defaults
from rehearsal.kube.api.kinds import kind_of
from rehearsal.kube.api.service_defaults import KUBERNETES_ADDRESS
from rehearsal.kube.api.store import Object, Store


def seed_objects(store: Store) -> None:
    """Create the Service `kubernetes` where it is missing."""
    kind = kind_of("Service")
    if store.get(kind, "default", "kubernetes") is not None:
        return
    labels = {"component": "apiserver", "provider": "kubernetes"}
    service: Object = {
        "metadata": {"name": "kubernetes", "namespace": "default", "labels": labels},
        "spec": {
            "clusterIP": KUBERNETES_ADDRESS,
            "clusterIPs": [KUBERNETES_ADDRESS],
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 443}],
        },
    }
    set_defaults(kind, service)
    store.create(kind, service)
