"""What an operation does to its cluster when it ends, well or badly."""

from __future__ import annotations

from collections.abc import Callable

from rehearsal.gke import clusters, node_pools
from rehearsal.gke.operations import Operation, condition_of
from rehearsal.gke.records import ClusterRecord


def end(record: ClusterRecord, operation: Operation) -> None:
    """Change a cluster as the end of an operation changes it.

    Args:
        record: the cluster; it is changed in place.
        operation: the operation; its `failure` tells whether it ended badly.
    """
    record.cluster["status"] = "ERROR" if "conditions" in record.cluster else "RUNNING"
    if operation.failure:
        _fail(record, operation)
    elif operation.kind in EFFECTS:
        EFFECTS[operation.kind](record, operation)


def _fail(record: ClusterRecord, operation: Operation) -> None:
    """What could not be created stays in state ERROR until it is deleted; all else is as it was."""
    condition = condition_of(operation.failure)
    if operation.kind == "CREATE_CLUSTER":
        record.cluster |= {"status": "ERROR", "conditions": [condition]}
        for pool in record.pools.values():
            pool.node_pool["status"] = "ERROR"
    elif operation.kind == "CREATE_NODE_POOL":
        record.pools[operation.node_pool].node_pool |= {
            "status": "ERROR",
            "conditions": [condition],
            "statusMessage": operation.failure,
        }
    elif operation.node_pool:
        record.pools[operation.node_pool].node_pool["status"] = "RUNNING"


def _create_cluster(record: ClusterRecord, _: Operation) -> None:
    for pool in record.pools.values():
        pool.node_pool["status"] = "RUNNING"


def _update_cluster(record: ClusterRecord, operation: Operation) -> None:
    record.cluster = clusters.updated(record.cluster, operation.change) | {"status": "RUNNING"}


def _create_node_pool(record: ClusterRecord, operation: Operation) -> None:
    record.pools[operation.node_pool].node_pool["status"] = "RUNNING"


def _update_node_pool(record: ClusterRecord, operation: Operation) -> None:
    pool = record.pools[operation.node_pool]
    before = pool.node_pool | {"status": "RUNNING"}
    pool.node_pool = node_pools.updated(before, operation.change)
    if pool.node_pool != before and any(field in operation.change for field in node_pools.RECREATING):
        pool.generation += 1


def _set_size(record: ClusterRecord, operation: Operation) -> None:
    pool = record.pools[operation.node_pool]
    pool.size = operation.change["nodeCount"]
    pool.node_pool |= {"status": "RUNNING", "initialNodeCount": pool.size}


def _delete_node_pool(record: ClusterRecord, operation: Operation) -> None:
    del record.pools[operation.node_pool]


EFFECTS: dict[str, Callable[[ClusterRecord, Operation], None]] = {
    "CREATE_CLUSTER": _create_cluster,
    "UPDATE_CLUSTER": _update_cluster,
    "CREATE_NODE_POOL": _create_node_pool,
    "UPGRADE_NODES": _update_node_pool,
    "SET_NODE_POOL_SIZE": _set_size,
    "DELETE_NODE_POOL": _delete_node_pool,
}
