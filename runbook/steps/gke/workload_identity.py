"""Pods can be somebody to Google Cloud: Workload Identity is on, for the cluster and for the TPU node pool.

Section 2.3.1 of the guide. Traps closed: the pool's name is computed from the project, never typed (D1); a
node pool that has the right mode is left alone, as changing it makes its nodes anew (D6). Where it must be
changed that is asked about, and a reservation need not have a machine to spare.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

from runbook.clients.gke_requests import (
    GkeRequest,
    enable_workload_identity,
    replace_nodes_in_place,
    use_gke_metadata,
)
from runbook.engine.change import Change, Difference, StepResult
from runbook.engine.manual import Manual
from runbook.steps.context import Context, StepArguments
from runbook.steps.gke.features import Feature, Update, ensure
from runbook.steps.gke.manuals import look, update
from runbook.steps.gke.operations import cluster_name, joined, make
from runbook.steps.gke.provider import not_gke, nothing_by_hand, part_of_autopilot
from runbook.steps.gke.reads import Cluster, cluster_key, node_pool, require_cluster

PATH = ("workloadIdentityConfig", "workloadPool")
MODE = "GKE_METADATA"
BY_AUTOPILOT = "Workload Identity is always on"


class Arguments(StepArguments):
    """Nothing to choose."""


def run(arguments: Arguments, context: Context) -> StepResult:  # noqa: ARG001 - every step takes its arguments
    """Switch Workload Identity on where it is off: the cluster first, then the node pool if it is there.

    Raises:
        MissingError: the cluster is not there.
    """
    if skipped := not_gke(context) or part_of_autopilot(context, BY_AUTOPILOT):
        return skipped
    name = cluster_name(context)
    feature = Feature("Workload Identity", PATH, name.workload_pool, None)
    request = enable_workload_identity(name)
    reason = yield from ensure(context, Update(feature, lambda _: request))
    pool = node_pool(context, require_cluster(context))
    if pool is None:
        return f"{reason}; 2.4 makes the node pool with it"
    if mode(pool) == MODE:
        return f"{reason}; node pool {pool['name']} has {MODE}"
    if (yield from joined(context, context.variables.node_pool.timeout_s)):
        pool = node_pool(context, require_cluster(context))
    if pool is not None and mode(pool) != MODE:
        loss: str | None = f"what runs on the nodes of {pool['name']}: GKE makes them anew for this"
        if needs_a_further_machine(pool):
            yield _replace_in_place(context, pool, loss)
            loss = None  # asked once, before the first of both
        yield _change(context, pool, loss)
    return f"{reason}; node pool {context.variables.node_pool.name} gets {MODE}"


def manual(arguments: Arguments, context: Context) -> Manual:  # noqa: ARG001 - every step takes its arguments
    """Tell how to switch Workload Identity on by hand."""
    if nothing := nothing_by_hand(context, BY_AUTOPILOT):
        return nothing
    name = cluster_name(context)
    pool = context.variables.node_pool
    requests = [use_gke_metadata(name, pool.name)]
    if pool.capacity == "reservation":
        requests.insert(0, replace_nodes_in_place(name, pool.name))
    commands = " and then ".join(f"`{shlex.join(request.argv)}`" for request in requests)
    return Manual(
        commands=[enable_workload_identity(name).argv],
        check=[look(context, ".".join(PATH))],
        undo=[update(context, "--disable-workload-identity")],
        note="What 2.2 and 2.4 made has it: the command is for a cluster that was there before. A node pool "
        f"that was there before gets it by {commands}; GKE then makes its nodes anew.",
    )


def mode(pool: dict[str, Any]) -> str | None:
    """Read which metadata server the node pool's Pods see."""
    found: str | None = pool.get("config", {}).get("workloadMetadataConfig", {}).get("mode")
    return found


def needs_a_further_machine(pool: dict[str, Any]) -> bool:
    """Tell whether GKE would ask a reservation for one more machine before it lets an old one go."""
    affinity = pool.get("config", {}).get("reservationAffinity", {})
    surge = pool.get("upgradeSettings", {}).get("maxSurge", 0)
    return bool(affinity.get("consumeReservationType") == "SPECIFIC_RESERVATION" and surge)


def _replace_in_place(context: Context, pool: dict[str, Any], loss: str | None) -> Change:
    request = replace_nodes_in_place(cluster_name(context), pool["name"])
    settings = pool["upgradeSettings"]
    wanted = {**settings, "maxSurge": 0, "maxUnavailable": 1}
    path = f"node-pool/{pool['name']}.upgradeSettings"
    return Change(
        differences=[
            Difference(f"{path}.{field}", settings.get(field, 0), wanted[field])
            for field in ("maxSurge", "maxUnavailable")
            if settings.get(field, 0) != wanted[field]
        ],
        command=request.argv,
        apply=lambda: _make(context, request, needs_a_further_machine),
        planned={cluster_key(context): _predicted(context, pool["name"], {"upgradeSettings": wanted})},
        loss=loss,
        warning="the reservation may have no machine to spare: a node's successor takes its machine",
    )


def _change(context: Context, pool: dict[str, Any], loss: str | None) -> Change:
    request = use_gke_metadata(cluster_name(context), pool["name"])
    path = f"node-pool/{pool['name']}.config.workloadMetadataConfig.mode"
    config = {**pool.get("config", {}), "workloadMetadataConfig": {"mode": MODE}}
    return Change(
        differences=[Difference(path, mode(pool), MODE)],
        command=request.argv,
        apply=lambda: _make(context, request, lambda now: mode(now) != MODE),
        planned={cluster_key(context): _predicted(context, pool["name"], {"config": config})},
        loss=loss,
    )


def _make(context: Context, request: GkeRequest, pool_needs_it: Callable[[dict[str, Any]], bool]) -> None:
    def needed(now: Cluster | None) -> bool:
        pool = node_pool(context, now) if now else None
        return pool is not None and pool_needs_it(pool)

    make(context, request, context.variables.node_pool.timeout_s, needed)


def _predicted(context: Context, name: str, fields: dict[str, Any]) -> Cluster:
    found = require_cluster(context)
    pools = [pool | fields if pool["name"] == name else pool for pool in found["nodePools"]]
    return {**found, "nodePools": pools}
