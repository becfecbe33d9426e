"""Pods can be somebody to Google Cloud: Workload Identity is on, for the cluster and for the TPU node pool.

Section 2.3.1 of the guide. Traps closed: the pool's name is computed from the project, never typed (D1); a
node pool that has the right mode is left alone, as changing it makes its nodes anew (D6).
"""

from __future__ import annotations

import copy
from typing import Any

from runbook.clients.gke_requests import enable_workload_identity, use_gke_metadata
from runbook.engine.change import Change, Difference, StepResult
from runbook.engine.manual import Manual
from runbook.steps.context import Context, StepArguments
from runbook.steps.gke.features import Feature, ensure
from runbook.steps.gke.manuals import look, look_at_pool, update
from runbook.steps.gke.operations import cluster_name, joined, make
from runbook.steps.gke.provider import not_gke, nothing_by_hand
from runbook.steps.gke.reads import Cluster, cluster_key, node_pool, require_cluster

PATH = ("workloadIdentityConfig", "workloadPool")
MODE = "GKE_METADATA"


class Arguments(StepArguments):
    """Nothing to choose."""


def run(arguments: Arguments, context: Context) -> StepResult:  # noqa: ARG001 - every step takes its arguments
    """Switch Workload Identity on where it is off: the cluster first, then the node pool if it is there.

    Raises:
        MissingError: the cluster is not there.
    """
    if skipped := not_gke(context):
        return skipped
    name = cluster_name(context)
    feature = Feature("Workload Identity", PATH, name.workload_pool, None, enable_workload_identity(name))
    reason = yield from ensure(context, feature)
    pool = node_pool(context, require_cluster(context))
    if pool is None:
        return f"{reason}; 2.4 makes the node pool with it"
    if mode(pool) == MODE:
        return f"{reason}; node pool {pool['name']} has {MODE}"
    if (yield from joined(context, context.variables.node_pool.timeout_s)):
        pool = node_pool(context, require_cluster(context))
    if pool is not None and mode(pool) != MODE:
        yield _change(context, pool)
    return f"{reason}; node pool {context.variables.node_pool.name} gets {MODE}"


def manual(arguments: Arguments, context: Context) -> Manual:  # noqa: ARG001 - every step takes its arguments
    """Tell how to switch Workload Identity on by hand."""
    if nothing := nothing_by_hand(context):
        return nothing
    name, pool = cluster_name(context), context.variables.node_pool.name
    return Manual(
        commands=[enable_workload_identity(name).argv, use_gke_metadata(name, pool).argv],
        check=[
            look(context, ".".join(PATH)),
            look_at_pool(context, "config.workloadMetadataConfig.mode"),
        ],
        undo=[update(context, "--disable-workload-identity")],
        note="What 2.2 and 2.4 made has it: the first command is for a cluster that was there before, the "
        "second for a node pool that was, and whose nodes GKE then makes anew. "
        "Without Workload Identity no Pod of the cluster is anybody to Google Cloud.",
    )


def mode(pool: dict[str, Any]) -> str | None:
    """Read which metadata server the node pool's Pods see."""
    found: str | None = pool.get("config", {}).get("workloadMetadataConfig", {}).get("mode")
    return found


def _change(context: Context, pool: dict[str, Any]) -> Change:
    request = use_gke_metadata(cluster_name(context), pool["name"])
    path = f"node-pool/{pool['name']}.config.workloadMetadataConfig.mode"
    return Change(
        differences=[Difference(path, mode(pool), MODE)],
        command=request.argv,
        apply=lambda: make(context, request, context.variables.node_pool.timeout_s),
        planned={cluster_key(context): _predicted(require_cluster(context), pool["name"])},
        warning=f"GKE makes the nodes of {pool['name']} anew: what runs on them is restarted",
    )


def _predicted(found: Cluster, name: str) -> Cluster:
    result = copy.deepcopy(found)
    for pool in result["nodePools"]:
        if pool["name"] == name:
            pool.setdefault("config", {})["workloadMetadataConfig"] = {"mode": MODE}
    return result
