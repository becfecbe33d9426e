"""The kinds that every cluster has, known beforehand: to ask would cost a request for each API group."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from kubernetes.dynamic.discovery import LazyDiscoverer
from kubernetes.dynamic.resource import Resource

_BUILT_IN: Final = {
    ("v1", "Namespace"): "namespaces",
    ("v1", "Node"): "nodes",
    ("v1", "PersistentVolume"): "persistentvolumes",
    ("v1", "PersistentVolumeClaim"): "persistentvolumeclaims",
    ("v1", "Pod"): "pods",
    ("v1", "Service"): "services",
    ("v1", "ServiceAccount"): "serviceaccounts",
    ("v1", "ResourceQuota"): "resourcequotas",
    ("v1", "ConfigMap"): "configmaps",
    ("v1", "Secret"): "secrets",
    ("v1", "Event"): "events",
    ("apps/v1", "DaemonSet"): "daemonsets",
    ("apps/v1", "Deployment"): "deployments",
    ("apps/v1", "ReplicaSet"): "replicasets",
    ("batch/v1", "Job"): "jobs",
}
_CLUSTER_WIDE: Final = frozenset({"Namespace", "Node", "PersistentVolume"})


class KnownKinds:
    """Resolves kinds for the dynamic client: built-in ones at once, others by asking the API server.

    Args:
        client: the dynamic client that asks.
        cache_file: where this cluster's other kinds are kept.
    """

    def __init__(self, client: Any, cache_file: str) -> None:
        self._client = client
        self._cache_file = Path(cache_file)
        self._others: Any = None

    def get(self, *, api_version: str, kind: str) -> Any:
        """Find a kind.

        Raises:
            ResourceNotFoundError: the cluster has no such kind.
        """
        plural = _BUILT_IN.get((api_version, kind))
        if plural is None:
            return self._discoverer().get(api_version=api_version, kind=kind)
        group, _, version = api_version.rpartition("/")
        return Resource(  # type: ignore[no-untyped-call] # the client has no types here
            prefix="apis" if group else "api",
            group=group,
            api_version=version,
            kind=kind,
            name=plural,
            namespaced=kind not in _CLUSTER_WIDE,
            client=self._client,
        )

    def _discoverer(self) -> Any:
        if self._others is None:
            self._cache_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._others = LazyDiscoverer(  # type: ignore[no-untyped-call] # the client has no types here
                self._client, str(self._cache_file)
            )
        return self._others
