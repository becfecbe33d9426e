"""The GKE cluster is there, and runs; or, with state absent, is gone.

Section 2.2 of the guide. A new cluster gets all features of 2.3 with the one create request. Traps closed:
the add-on list switches nothing off (D4), the system nodes stand in the named zones and not in three (D5).
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Literal

from pydantic import Field

from runbook.clients.gke_requests import delete_cluster
from runbook.engine.bill import Bill
from runbook.engine.change import UNKNOWN, Action, Change, Difference, StepResult
from runbook.engine.errors import ConflictError, FailedError, Place
from runbook.engine.manual import Manual
from runbook.steps.context import Context, StepArguments
from runbook.steps.gke.bills import cluster_bills
from runbook.steps.gke.manuals import look
from runbook.steps.gke.new_cluster import creation, predicted, summary
from runbook.steps.gke.operations import cluster_name, joined, make
from runbook.steps.gke.provider import not_gke, nothing_by_hand
from runbook.steps.gke.reads import Cluster, access_key, cluster, cluster_key, elsewhere, is_autopilot


class Arguments(StepArguments):
    """What the cluster should be; all else is in the variables `cluster.*`."""

    state: Literal["present", "absent"] = Field("present", description="whether the cluster should be there")


def run(arguments: Arguments, context: Context) -> StepResult:
    """Create the cluster, or delete it.

    Raises:
        ConflictError: a cluster of this name is in another location.
        FailedError: the cluster is there and broken.
        CapacityError: no quota, or no machines.
    """
    if skipped := not_gke(context):
        return skipped
    if arguments.state == "absent":
        return (yield from _absent(context, (yield from at_rest(context))))
    found = yield from settled(context)
    if found is None:
        _require_nowhere(context)
        request = creation(context)
        yield Change(
            differences=[Difference(_path(context), None, summary(request))],
            command=request.argv,
            apply=lambda: make(
                context,
                request,
                context.variables.cluster.timeout_s,
                needed=lambda now: now is None,
            ),
            planned={cluster_key(context): predicted(context, request), access_key(context): UNKNOWN},
        )
        return "new"
    if is_autopilot(found) != (context.variables.cluster.mode == "autopilot"):
        _warn_of_mode(context, found)
    return _described(found)


def bills(arguments: Arguments, context: Context) -> Sequence[Bill]:  # noqa: ARG001 - every step takes its arguments
    """Name what of the cluster costs money."""
    return cluster_bills(context)


def manual(arguments: Arguments, context: Context) -> Manual:
    """Tell how to create, or delete, the cluster by hand."""
    if nothing := nothing_by_hand(context):
        return nothing
    name = cluster_name(context)
    if arguments.state == "absent":
        return Manual(
            commands=[delete_cluster(name).argv],
            check=[["gcloud", "container", "clusters", "list", *name.flags, f"--filter=name={name.name}"]],
            note="Everything in the cluster is lost for good. Setup makes a new one, empty.",
        )
    return Manual(
        commands=[creation(context).argv],
        check=[look(context, "name", "status", "currentMasterVersion", "locations")],
        undo=[delete_cluster(name).argv],
        note="It takes some ten minutes. A cluster of this name that is there already is used as it is.",
    )


def at_rest(context: Context) -> Generator[Action, None, Cluster | None]:
    """Read the cluster, broken or not; where it is being made, changed or deleted, wait for that first."""
    found = cluster(context)
    if found is None or found["status"] in {"RUNNING", "DEGRADED", "ERROR"}:
        return found
    yield from joined(context, context.variables.cluster.timeout_s)
    return cluster(context)


def settled(context: Context) -> Generator[Action, None, Cluster | None]:
    """Read the cluster; where it is being made, changed or deleted, wait for that first.

    Raises:
        FailedError: the cluster is broken.
    """
    found = yield from at_rest(context)
    if found is not None and found["status"] == "ERROR":
        raise FailedError(
            f"cluster {found['name']} is in status ERROR: {_conditions(found)}",
            place=Place(found.get("selfLink", cluster_name(context).path)),
            remedy="look at it in the console; `inv step 6.3` deletes it",
        )
    return found


def _require_nowhere(context: Context) -> None:
    """Stop where the cluster was most likely made before, and only its location is not as configured."""
    if there := elsewhere(context):
        name = context.variables.cluster.name
        raise ConflictError(
            f"cluster {name} is not in {context.variables.cluster.location} but in {there}",
            place=Place(replace(cluster_name(context), location=there).path),
            remedy=f"set cluster.location to {there}, or cluster.name to another name for a new cluster",
        )


def _warn_of_mode(context: Context, found: Cluster) -> None:
    is_one, wanted = "autopilot" if is_autopilot(found) else "standard", context.variables.cluster.mode
    context.report.warning(
        f"cluster {found['name']} is {is_one} and cluster.mode is {wanted}: set it to {is_one}, "
        "as Pods ask for TPUs in another way"
    )


def _absent(context: Context, found: Cluster | None) -> StepResult:
    if found is None:
        there = elsewhere(context)
        return "not there" + (f"; one of that name is in {there}" if there else "")
    request = delete_cluster(cluster_name(context))
    if (yield from joined(context, context.variables.cluster.timeout_s)) and cluster(context) is None:
        return "gone meanwhile"
    yield Change(
        differences=[Difference(_path(context), found["status"], None)],
        command=request.argv,
        apply=lambda: make(
            context,
            request,
            context.variables.cluster.timeout_s,
            needed=lambda now: now is not None,
        ),
        planned={cluster_key(context): None},
        loss=f"cluster {found['name']} in {found['location']} with everything in it",
    )
    return "gone"


def _path(context: Context) -> str:
    return f"cluster/{context.variables.cluster.name}"


def _described(found: Cluster) -> str:
    version = found.get("currentMasterVersion")
    status = "" if found["status"] == "RUNNING" else f", {found['status']}"
    kind = ", Autopilot" if is_autopilot(found) else ""
    return f"{found['name']} is there{kind}" + (f", version {version}" if version else "") + status


def _conditions(found: Cluster) -> str:
    said = [condition.get("message", condition.get("code", "")) for condition in found.get("conditions", [])]
    return "; ".join(said) or found.get("statusMessage") or "no reason given"
