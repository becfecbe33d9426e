"""Clusters with their node pools as the stand-in keeps them, and as the API and Kubernetes see them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from rehearsal.documents import Collection
from rehearsal.front.errors import GoogleError
from rehearsal.gke.autopilot import is_autopilot
from rehearsal.gke.locations import TPU7X_ZONES, region_of, zones_of
from rehearsal.gke.names import ClusterName
from rehearsal.gke.nodes import nodes_of


@dataclass
class PoolRecord:
    """One node pool.

    Args:
        node_pool: as the API returns it.
        size: Nodes in each zone.
        generation: how often its Nodes were made anew.
    """

    node_pool: dict[str, Any]
    size: int
    generation: int = 0

    @property
    def nodes_exist(self) -> bool:
        """Tell whether its machines have come up."""
        return self.node_pool["status"] not in ("PROVISIONING", "ERROR")


@dataclass
class ClusterRecord:
    """One cluster with its node pools by name."""

    name: ClusterName
    cluster: dict[str, Any]
    pools: dict[str, PoolRecord] = field(default_factory=dict)

    def pool(self, name: str) -> PoolRecord:
        """Find a node pool.

        Raises:
            GoogleError: 404.
        """
        if name not in self.pools:
            raise GoogleError(404, f"Not found: {self.name.node_pool(name)}.")
        return self.pools[name]

    def nodes(self) -> list[dict[str, Any]]:
        """List the Nodes that should be there."""
        return [
            node
            for pool in self.pools.values()
            if pool.nodes_exist
            for node in nodes_of(self.name, pool.node_pool, pool.size, pool.generation)
        ]

    def facts(self) -> dict[str, Any]:
        """Tell Kubernetes what it has to know of the cluster."""
        addons, region = self.cluster["addonsConfig"], region_of(self.name.location)
        return {
            "name": self.name.cluster,
            "location": self.name.location,
            "project": self.name.project,
            "version": self.cluster["currentMasterVersion"],
            "workload_pool": self.cluster.get("workloadIdentityConfig", {}).get("workloadPool") or None,
            "gcsfuse": bool(addons.get("gcsFuseCsiDriverConfig", {}).get("enabled")),
            "nodes": self.nodes(),
            "autopilot": is_autopilot(self.cluster),
            "zones": zones_of(region),
            "tpu_zones": [zone for zone in zones_of(region) if zone in TPU7X_ZONES],
        }

    def shown(self) -> dict[str, Any]:
        """Return the cluster as the API answers it."""
        pools = [shown(pool.node_pool) for pool in self.pools.values()]
        cluster = self.cluster | {"currentNodeCount": len(self.nodes())}
        return dict(shown(cluster)) | {"nodePools": pools}


class Records:
    """All clusters of the stand-in.

    Args:
        documents: where they are kept.
    """

    def __init__(self, documents: Collection) -> None:
        self._documents = documents

    def find(self, name: ClusterName) -> ClusterRecord | None:
        """Return a cluster, if there is one of that name."""
        document = self._documents.get(str(name))
        if document is None:
            return None
        pools = {pool: PoolRecord(**record) for pool, record in document["pools"].items()}
        return ClusterRecord(name, document["cluster"], pools)

    def get(self, name: ClusterName) -> ClusterRecord:
        """Return a cluster.

        Raises:
            GoogleError: 404.
        """
        record = self.find(name)
        if record is None:
            raise GoogleError(404, f"Not found: {name}.")
        return record

    def put(self, record: ClusterRecord) -> None:
        """Keep a cluster, with fresh etags."""
        for pool in record.pools.values():
            pool.node_pool["etag"] = _etag(pool.node_pool)
        record.cluster["etag"] = _etag(record.cluster)
        pools = {name: asdict(pool) for name, pool in record.pools.items()}
        self._documents[str(record.name)] = {"cluster": record.cluster, "pools": pools}

    def remove(self, name: ClusterName) -> None:
        """Forget a cluster."""
        del self._documents[str(name)]

    def __iter__(self) -> Iterator[ClusterRecord]:
        return (self.get(ClusterName.parse(key)) for key in self._documents)


def shown(value: Any) -> Any:
    """Drop what proto3's JSON drops: false, 0, empty strings and lists; empty messages stay."""
    if isinstance(value, dict):
        return {name: shown(item) for name, item in value.items() if not _default(item)}
    if isinstance(value, list):
        return [shown(item) for item in value]
    return value


def _default(value: Any) -> bool:
    return value is None or value is False or value in (0, "") or value == []


def _etag(resource: dict[str, Any]) -> str:
    content = {name: value for name, value in resource.items() if name not in ("etag", "status")}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
