"""GKE's methods: each checks, starts an operation, and lets the cluster show that it is busy."""

from __future__ import annotations

import base64
from typing import Any

from rehearsal.front.errors import GoogleError, error_info
from rehearsal.gke import clusters, effects, node_pools
from rehearsal.gke.autopilot import is_autopilot, refuse_node_pools
from rehearsal.gke.names import ClusterName
from rehearsal.gke.networks import with_addresses
from rehearsal.gke.operations import Operation, Operations
from rehearsal.gke.records import ClusterRecord, PoolRecord, Records
from rehearsal.gke.reservations import check_room
from rehearsal.world import Clusters, World

NODE_POOL_WORK = {
    "CREATE_NODE_POOL": "creating",
    "DELETE_NODE_POOL": "deleting",
    "UPGRADE_NODES": "upgrading",
}
NODE_POOL_FIELDS = ("nodePools", "initialNodeCount", "nodeConfig")
BEING_CREATED = "Cluster is currently being created, deleted, updated or repaired and cannot be updated."


class Gke:
    """The clusters of one stand-in.

    Args:
        world: the stand-in.
        kubernetes: makes the API server and the Nodes of each cluster.
    """

    def __init__(self, world: World, kubernetes: Clusters) -> None:
        self._kubernetes = kubernetes
        self._project = world.project
        self.records = Records(world.database.collection("gke.clusters"))
        self.operations = Operations(world, self._finish)
        self._after_create = world.database.collection("gke.after_create")

    async def start(self) -> None:
        """Learn where the API servers of the clusters from before a restart answer now."""
        for record in list(self.records):
            if record.cluster.get("endpoint"):
                await self._connect(record)
                self.records.put(record)

    def create_cluster(self, name: ClusterName, given: dict[str, Any], failure: str = "") -> Operation:
        """Start a cluster.

        Args:
            name: where it goes.
            given: the request's `cluster`.
            failure: the message with which the operation will end; empty = it succeeds.

        Raises:
            GoogleError: 400; 409 when it exists.
        """
        if self.records.find(name):
            raise GoogleError(409, f"Already exists: {name}.")
        own = {field: value for field, value in given.items() if field not in NODE_POOL_FIELDS}
        record = ClusterRecord(name, clusters.new_cluster(name, own))
        for pool in _first_pools(record, given):
            _add_pool(record, pool)
        self.records.put(record)
        return self.operations.start("CREATE_CLUSTER", name, failure=failure)

    def update_cluster(self, name: ClusterName, update: dict[str, Any], failure: str = "") -> Operation:
        """Start one update of a cluster (ClusterUpdate).

        Raises:
            GoogleError: 400, 404, 409.
        """
        record = self._idle(name)
        clusters.check_update(name, record.cluster, update)
        self._reconcile(record)
        return self.operations.start("UPDATE_CLUSTER", name, change=update, failure=failure)

    def delete_cluster(self, name: ClusterName, failure: str = "") -> Operation:
        """Start to delete a cluster.

        Raises:
            GoogleError: 400, 404.
        """
        record = self._idle(name, deleting=True)
        record.cluster["status"] = "STOPPING"
        self.records.put(record)
        return self.operations.start("DELETE_CLUSTER", name, failure=failure)

    def own_node_pools(self, name: ClusterName) -> ClusterRecord:
        """Return a cluster whose node pools are its owner's.

        Raises:
            GoogleError: 404; 400 where they are GKE's.
        """
        record = self.records.get(name)
        refuse_node_pools(record.cluster)
        return record

    def create_node_pool(self, name: ClusterName, given: dict[str, Any], failure: str = "") -> Operation:
        """Start a node pool.

        Raises:
            GoogleError: 400, 404; 409 when it exists; 429 when its reservation is too small.
        """
        record = self._with_node_pools(name)
        pool = given.get("name", "")
        if pool in record.pools:
            raise GoogleError(409, f"Already exists: {name.node_pool(pool)}.")
        _add_pool(record, given)
        check_room(self._project.now, self.records, name, record.pools[pool].node_pool)
        self._reconcile(record)
        return self.operations.start("CREATE_NODE_POOL", name, pool, failure=failure)

    def update_node_pool(
        self, name: ClusterName, pool: str, update: dict[str, Any], failure: str = ""
    ) -> Operation:
        """Start an update of a node pool (UpdateNodePoolRequest).

        Raises:
            GoogleError: 400, 404, 409.
        """
        record = self._with_node_pools(name)
        node_pools.check_update(record.pool(pool).node_pool, update, record.cluster)
        self._reconcile(record, pool)
        return self.operations.start("UPGRADE_NODES", name, pool, update, failure)

    def set_size(self, name: ClusterName, pool: str, node_count: int, failure: str = "") -> Operation:
        """Start to give a node pool another number of Nodes in each zone.

        Raises:
            GoogleError: 400, 404.
        """
        record = self._with_node_pools(name)
        record.pool(pool)
        self._reconcile(record, pool)
        return self.operations.start("SET_NODE_POOL_SIZE", name, pool, {"nodeCount": node_count}, failure)

    def delete_node_pool(self, name: ClusterName, pool: str, failure: str = "") -> Operation:
        """Start to delete a node pool.

        Raises:
            GoogleError: 400, 404.
        """
        record = self._with_node_pools(name)
        record.pool(pool)
        self._reconcile(record, pool, "STOPPING")
        return self.operations.start("DELETE_NODE_POOL", name, pool, failure=failure)

    def occupy(self, name: ClusterName, kind: str, seconds: float) -> Operation:
        """Let GKE work on a cluster by itself, as it does after a creation or in a maintenance window.

        Args:
            name: the cluster.
            kind: the API's operationType.
            seconds: for how long, at every time_scale.

        Raises:
            GoogleError: 400, 404.
        """
        self._reconcile(self._idle(name))
        return self.operations.occupy(kind, name, seconds)

    def occupy_after_create(self, kind: str, seconds: float) -> None:
        """Let GKE work by itself on the next cluster that is created, as soon as it runs."""
        self._after_create["next"] = {"kind": kind, "seconds": seconds}

    async def forget(self) -> None:
        """Drop every cluster and operation at once."""
        self._after_create.clear()
        self.operations.forget()
        for record in list(self.records):
            await self._kubernetes.delete(str(record.name))
            self.records.remove(record.name)

    def _idle(
        self, name: ClusterName, *, node_pool_work: bool = False, deleting: bool = False
    ) -> ClusterRecord:
        """Return a cluster that no operation holds, and that is sound unless it is to be deleted."""
        record = self.records.get(name)
        operation = self.operations.running(name)
        if operation:
            raise _busy(operation, name, node_pool_work=node_pool_work)
        if record.cluster["status"] == "ERROR" and not deleting:
            message = f"Cluster {name.cluster} is in state ERROR: it can only be deleted."
            raise GoogleError(400, message, "FAILED_PRECONDITION")
        return record

    def _with_node_pools(self, name: ClusterName) -> ClusterRecord:
        """Return a cluster that no operation holds, and whose node pools are its owner's."""
        self.own_node_pools(name)
        return self._idle(name, node_pool_work=True)

    def _reconcile(self, record: ClusterRecord, pool: str = "", status: str = "RECONCILING") -> None:
        """Show that a cluster, and maybe one of its node pools, is being worked on."""
        record.cluster["status"] = "RECONCILING"
        if pool:
            record.pools[pool].node_pool["status"] = status
        self.records.put(record)

    async def _finish(self, operation: Operation) -> None:
        """Make an operation's effect. Doing it twice, after a kill, does no harm."""
        name = ClusterName.parse(operation.cluster)
        record = self.records.find(name)
        if record is None:
            return
        if operation.kind == "DELETE_CLUSTER" and not operation.failure:
            await self._kubernetes.delete(str(name))
            self.records.remove(name)
            return
        effects.end(record, operation)
        await self._tell(record, operation)
        self.records.put(record)
        if operation.kind == "CREATE_CLUSTER" and not operation.failure:
            self._go_on_by_itself(record)

    def _go_on_by_itself(self, record: ClusterRecord) -> None:
        told = self._after_create.pop("next", None)
        if told:
            self._reconcile(record)
            self.operations.occupy(told["kind"], record.name, told["seconds"])

    async def _tell(self, record: ClusterRecord, operation: Operation) -> None:
        """Let Kubernetes follow."""
        if operation.kind == "CREATE_CLUSTER" and not operation.failure:
            await self._connect(record)
        elif record.cluster.get("endpoint"):
            await self._kubernetes.update(str(record.name), record.facts())

    async def _connect(self, record: ClusterRecord) -> None:
        access = await self._kubernetes.create(str(record.name), record.facts())
        certificate = base64.b64encode(access.ca_certificate.encode()).decode()
        record.cluster = with_addresses(record.cluster, access.endpoint)
        record.cluster["masterAuth"] = {"clusterCaCertificate": certificate}


def _first_pools(record: ClusterRecord, given: dict[str, Any]) -> list[dict[str, Any]]:
    """List the node pools of a new cluster; an Autopilot cluster's are GKE's own."""
    if is_autopilot(record.cluster):
        return []
    return given.get("nodePools") or [_default_pool(given)]


def _default_pool(given: dict[str, Any]) -> dict[str, Any]:
    """Build the pool of a request in the older form, with initialNodeCount and nodeConfig."""
    count = given.get("initialNodeCount", 0)
    if not count:
        raise GoogleError(400, "Cluster.initial_node_count must be greater than zero.")
    return {"name": "default-pool", "initialNodeCount": count, "config": given.get("nodeConfig", {})}


def _add_pool(record: ClusterRecord, given: dict[str, Any]) -> None:
    pool = node_pools.new_node_pool(record.name, given, record.cluster)
    record.pools[pool["name"]] = PoolRecord(pool, pool["initialNodeCount"])


def _busy(operation: Operation, name: ClusterName, *, node_pool_work: bool) -> GoogleError:
    """Build the refusal of a second operation on one cluster."""
    message = f"Cluster is running incompatible operation {operation.name}."
    if operation.kind in ("CREATE_CLUSTER", "DELETE_CLUSTER"):
        message = BEING_CREATED
    elif node_pool_work and operation.kind in NODE_POOL_WORK:
        doing = NODE_POOL_WORK[operation.kind]
        message = (
            f"Operation {operation.name} is currently {doing} a node pool for cluster {name.cluster}."
            " Please wait and try again once it is done."
        )
    details = error_info("CLUSTER_ALREADY_HAS_OPERATION", "container.googleapis.com")
    return GoogleError(400, message, "FAILED_PRECONDITION", details)
