"""All clusters of the stand-in, as GKE asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.kube.certificates import Authority
from rehearsal.kube.cluster import Cluster
from rehearsal.kube.identity import Identity
from rehearsal.world import Access, World


class KubernetesClusters:
    """Starts and stops one API server for each cluster, and knows them again after a restart."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._authority = Authority(world.home)
        self._known = world.database.collection("kubernetes clusters")
        self._running: dict[str, Cluster] = {}

    async def start(self) -> None:
        """Bring back the clusters of before."""
        for key, known in list(self._known.items()):
            await self._start(key, known["facts"])

    async def stop(self) -> None:
        """Stop all API servers and kill all containers."""
        for cluster in self._running.values():
            await cluster.stop()
        self._running.clear()

    async def create(self, key: str, facts: Mapping[str, Any]) -> Access:
        """Start the API server of a new cluster, or of one known from before a restart.

        Args:
            key: `projects/P/locations/L/clusters/C`.
            facts: version, workload_pool, gcsfuse, nodes...
        """
        if key in self._running:
            await self.update(key, facts)
        else:
            await self._start(key, facts)
        return Access(f"127.0.0.1:{self._running[key].port}", self._authority.certificate)

    async def update(self, key: str, facts: Mapping[str, Any]) -> None:
        """Tell a cluster its add-ons, workload pool and the Nodes it should have now."""
        self._known[key] = {**self._known[key], "facts": dict(facts)}
        self._running[key].take(facts)

    async def delete(self, key: str) -> None:
        """Stop the API server and forget all of its objects."""
        cluster = self._running.pop(key, None)
        if cluster is not None:
            await cluster.stop()
            cluster.erase()
        self._known.pop(key, None)

    def describe(self) -> None:
        """Tell all containers the settings of now."""
        for cluster in self._running.values():
            cluster.describe()

    def identity(self, key: str, namespace: str, pod: str) -> Identity | None:
        """Tell who a Pod is to Google's APIs; None where there is no such Pod."""
        cluster = self._running.get(key)
        return cluster.identity(namespace, pod) if cluster else None

    async def _start(self, key: str, facts: Mapping[str, Any]) -> None:
        cluster = Cluster(self._world, key, facts, self._authority)
        known = self._known.get(key) or {}
        await cluster.start(known.get("port", 0))
        self._running[key] = cluster
        self._known[key] = {"facts": dict(facts), "port": cluster.port}
