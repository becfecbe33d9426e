"""The TPU node pool has as many nodes as the variables want; a part of section 2.4.

Fact: a resize, by whoever, sets the NodePool's initialNodeCount, the number of nodes in each of its zones.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from runbook.clients.gke_requests import resize_node_pool
from runbook.engine.change import Change, Difference
from runbook.steps.context import Context
from runbook.steps.gke.operations import cluster_name, make
from runbook.steps.gke.reads import Cluster, cluster_key, node_pool, require_cluster

Pool = dict[str, Any]
"""The GKE API's NodePool."""


def resized(context: Context, pool: Pool) -> Generator[Change, None, None]:
    """Give the node pool as many nodes as the variables want.

    A pool that scales by itself follows its Pods, and a slice that spans nodes has those of its topology.

    Args:
        pool: as the API answers it.

    Raises:
        CapacityError: there are no machines to be had.
        RunbookError: the API refused.
    """
    wanted = context.variables.node_pool.nodes
    there = pool.get("initialNodeCount", 0)
    if _is_given(pool) or there == wanted:
        return
    request = resize_node_pool(cluster_name(context), pool["name"], wanted)
    found = require_cluster(context)
    pools = [
        {**other, "initialNodeCount": wanted} if other["name"] == pool["name"] else other
        for other in found["nodePools"]
    ]
    yield Change(
        differences=[Difference(f"node-pool/{pool['name']}.initialNodeCount", there, wanted)],
        command=request.argv,
        apply=lambda: make(
            context,
            request,
            context.variables.node_pool.timeout_s,
            needed=lambda now: _is_needed(context, now, wanted),
        ),
        planned={cluster_key(context): {**found, "nodePools": pools}},
        loss=f"{there - wanted} of {there} nodes, and what runs on them; the machines may not be had again"
        if wanted < there
        else None,
    )


def _is_given(pool: Pool) -> bool:
    scales = pool.get("autoscaling", {}).get("enabled")
    return bool(scales or pool.get("placementPolicy", {}).get("tpuTopology"))


def _is_needed(context: Context, now: Cluster | None, wanted: int) -> bool:
    pool = None if now is None else node_pool(context, now)
    return pool is not None and pool.get("initialNodeCount", 0) != wanted
