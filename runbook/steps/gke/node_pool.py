"""The TPU node pool is there with the wanted machines; or, with state absent, is gone.

Section 2.4 of the guide. Traps closed: no reservation flag without a reservation (D3), no topology for a
single-host pool (D8), the cluster's version knows the machine type (D9).
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, Literal

from pydantic import Field

from runbook.clients.gke_requests import GkeRequest, create_node_pool, delete_node_pool
from runbook.clients.google_errors import CAPACITY, capacity
from runbook.engine.bill import Bill
from runbook.engine.change import Action, Change, Difference, Skip, StepResult
from runbook.engine.errors import ConflictError, FailedError, Place
from runbook.engine.manual import Manual
from runbook.steps.context import Context, StepArguments
from runbook.steps.gke.bills import cluster_bills
from runbook.steps.gke.cluster import at_rest, settled
from runbook.steps.gke.manuals import look_at_pool
from runbook.steps.gke.operations import cluster_name, joined, make
from runbook.steps.gke.pool_size import resized
from runbook.steps.gke.provider import not_gke, nothing_by_hand, part_of_autopilot
from runbook.steps.gke.reads import Cluster, cluster, cluster_key, is_autopilot, node_pool, require_cluster
from runbook.steps.gke.versions import require_machines

MODE = "config.workloadMetadataConfig.mode"
BY_AUTOPILOT = "GKE makes the nodes that Pods ask for"

Pool = dict[str, Any]
"""The GKE API's NodePool."""


class Arguments(StepArguments):
    """What the node pool should be; all else is in the variables `node_pool.*` and `tpu.*`."""

    state: Literal["present", "absent"] = Field("present", description="whether it should be there")


def run(arguments: Arguments, context: Context) -> StepResult:
    """Create the node pool, or delete it.

    Raises:
        MissingError: the cluster is not there.
        CapacityError: no quota, no stock, or too small a reservation.
        ConflictError: the node pool is there, with what cannot be changed.
        FailedError: the node pool is there and broken.
        RefusedError: the cluster's version does not know the machine type.
    """
    if skipped := not_gke(context) or _made_by_gke(arguments, context):
        return skipped
    if arguments.state == "absent":
        return (yield from _absent(context))
    yield from settled(context)
    pool = yield from _settled_pool(context)
    if pool is None and (yield from joined(context, context.variables.node_pool.timeout_s)):
        pool = node_pool(context, require_cluster(context))
    if pool is None:
        found = require_cluster(context)
        require_machines(context, found)
        yield _create(context, found)
        return "new"
    _require_healthy(context, pool)
    _require_same(context, pool)
    yield from resized(context, pool)
    return f"{pool['name']} is there: {pool['config']['machineType']}"


def bills(arguments: Arguments, context: Context) -> Sequence[Bill]:  # noqa: ARG001 - every step takes its arguments
    """Name what of the cluster costs money."""
    return cluster_bills(context)


def manual(arguments: Arguments, context: Context) -> Manual:
    """Tell how to create, or delete, the node pool by hand."""
    if nothing := nothing_by_hand(context, BY_AUTOPILOT):
        return nothing
    parent, name = cluster_name(context), context.variables.node_pool.name
    create, delete = wanted(context).argv, delete_node_pool(parent, name).argv
    if arguments.state == "absent":
        listed = ("gcloud", "container", "node-pools", "list", f"--cluster={parent.name}", *parent.flags)
        return Manual(
            commands=[delete],
            check=[[*listed, f"--filter=name={name}"]],
            undo=[create],
            note="What ran on its nodes ends, and the machines may not be had again at once.",
        )
    return Manual(
        commands=[create],
        check=[look_at_pool(context, "status", "locations", "config.machineType", MODE)],
        undo=[delete],
        note=f"The cluster must have version {context.variables.tpu.minimum_version} or newer.",
    )


def _settled_pool(context: Context) -> Generator[Action, None, Pool | None]:
    """Read the node pool; where it is being made, changed or deleted, wait for that first."""
    pool = node_pool(context, require_cluster(context))
    if pool is None or pool.get("status") in {"RUNNING", "RUNNING_WITH_ERROR", "ERROR"}:
        return pool
    yield from joined(context, context.variables.node_pool.timeout_s)
    return node_pool(context, require_cluster(context))


def _absent(context: Context) -> StepResult:
    found = yield from at_rest(context)
    pool = node_pool(context, found) if found else None
    if found is None or pool is None:
        return "not there"
    if (yield from joined(context, context.variables.node_pool.timeout_s)):
        found = require_cluster(context)
        if node_pool(context, found) is None:
            return "gone meanwhile"
    request = delete_node_pool(cluster_name(context), pool["name"])
    others = [other for other in found["nodePools"] if other["name"] != pool["name"]]
    yield Change(
        differences=[Difference(f"node-pool/{pool['name']}", pool.get("status"), None)],
        command=request.argv,
        apply=lambda: make(
            context,
            request,
            context.variables.node_pool.timeout_s,
            needed=lambda now: now is not None and node_pool(context, now) is not None,
        ),
        planned={cluster_key(context): {**found, "nodePools": others}},
        loss=f"node pool {pool['name']} with its {pool['config']['machineType']} nodes; "
        "the machines may not be had again at once",
    )
    return "gone"


def _create(context: Context, found: Cluster) -> Change:
    request = wanted(context)
    assert request.body is not None  # noqa: S101 - a create request has a body
    pool = {**request.body["nodePool"], "status": "RUNNING"}
    variables = context.variables
    count = f"{variables.node_pool.nodes} x {variables.tpu.machine_type}"
    source: str = variables.node_pool.capacity
    if source == "reservation":
        source += f" {variables.node_pool.reservation}"
    return Change(
        differences=[
            Difference(f"node-pool/{pool['name']}", None, f"{count} in {variables.zone}, from {source}")
        ],
        command=request.argv,
        apply=lambda: make(
            context,
            request,
            variables.node_pool.timeout_s,
            needed=lambda now: now is not None and node_pool(context, now) is None,
        ),
        planned={cluster_key(context): {**found, "nodePools": [*found.get("nodePools", []), pool]}},
    )


def wanted(context: Context) -> GkeRequest:
    """Make the request that creates the node pool as the variables want it."""
    variables = context.variables
    return create_node_pool(
        cluster_name(context),
        variables.node_pool.name,
        machine_type=variables.tpu.machine_type,
        nodes=variables.node_pool.nodes,
        zone=variables.zone,
        capacity=variables.node_pool.capacity,
        reservation=variables.node_pool.reservation,
        topology=variables.tpu.topology if variables.tpu.multi_host else None,
        private_nodes=variables.cluster.private_nodes,
    )


def _made_by_gke(arguments: Arguments, context: Context) -> Skip | None:
    """Give the reason to skip an Autopilot cluster, whose version must know the machines all the same."""
    found = cluster(context)
    if found is not None and is_autopilot(found) and arguments.state == "present":
        require_machines(context, found)
    return part_of_autopilot(context, BY_AUTOPILOT)


def _require_healthy(context: Context, pool: Pool) -> None:
    if pool.get("status") not in {"ERROR", "RUNNING_WITH_ERROR"}:
        return
    said = "; ".join(condition.get("message", "") for condition in pool.get("conditions", []))
    said = said or pool.get("statusMessage") or "no reason given"
    place = Place(pool.get("selfLink") or f"{cluster_name(context).path}/nodePools/{pool['name']}")
    if CAPACITY.search(said) or "STOCKOUT" in str(pool.get("conditions")):
        raise capacity(f"node pool {pool['name']}: {said}", place, left_over=pool["status"] == "ERROR")
    raise FailedError(
        f"node pool {pool['name']} is in status {pool['status']}: {said}",
        place=place,
        remedy="`inv step 6.2` deletes it, then `inv step 2.4` makes it anew",
    )


def _require_same(context: Context, pool: Pool) -> None:
    request = wanted(context)
    assert request.body is not None  # noqa: S101 - a create request has a body
    want, have = _fixed(request.body["nodePool"]), _fixed(pool)
    different = [
        f"{field} is {have[field]}, not {want[field]}" for field in want if want[field] != have[field]
    ]
    if different:
        raise ConflictError(
            f"node pool {pool['name']} is another one: {'; '.join(different)}",
            place=Place(pool.get("selfLink") or f"{cluster_name(context).path}/nodePools/{pool['name']}"),
            remedy="a node pool's machines cannot be changed: set node_pool.name to a new name, "
            "or delete it (`inv step 6.2`) and run again",
        )


def _fixed(pool: Pool) -> dict[str, Any]:
    """Give what cannot be changed of a node pool, in the words of the API."""
    config = pool.get("config", {})
    affinity = config.get("reservationAffinity", {})
    return {
        "config.machineType": config.get("machineType"),
        "locations": sorted(pool.get("locations", [])),
        "config.reservationAffinity.values": affinity.get("values", []),
        "config.spot": bool(config.get("spot")),
        "config.flexStart": bool(config.get("flexStart")),
        "placementPolicy.tpuTopology": pool.get("placementPolicy", {}).get("tpuTopology"),
    }
