"""What the manuals of the GKE steps share: looking at the cluster, and updates that only a person makes."""

from __future__ import annotations

from collections.abc import Sequence

from runbook.clients.gke_requests import GkeRequest
from runbook.engine.manual import Manual
from runbook.steps.context import Context
from runbook.steps.gke.operations import cluster_name


def look(context: Context, *fields: str) -> list[str]:
    """Write the command that shows fields of the cluster.

    Args:
        fields: paths such as `workloadIdentityConfig.workloadPool`.
    """
    cluster = cluster_name(context)
    described = ("gcloud", "container", "clusters", "describe", cluster.name)
    return [*described, *cluster.flags, f"--format=yaml({','.join(fields)})"]


def look_at_pool(context: Context, *fields: str) -> list[str]:
    """Write the command that shows fields of the TPU node pool."""
    cluster = cluster_name(context)
    described = ("gcloud", "container", "node-pools", "describe", context.variables.node_pool.name)
    return [*described, f"--cluster={cluster.name}", *cluster.flags, f"--format=yaml({','.join(fields)})"]


def update(context: Context, flag: str) -> list[str]:
    """Write an update of the cluster that no step makes: the undoing of one that a step makes.

    Args:
        flag: what gcloud is to change.
    """
    cluster = cluster_name(context)
    return [*("gcloud", "container", "clusters", "update", cluster.name), *cluster.flags, flag]


def feature(context: Context, request: GkeRequest, path: Sequence[str], off: str) -> Manual:
    """Write the manual of a feature that one update of the cluster switches on.

    Args:
        request: switches it on.
        path: the cluster's field that tells; the last name may be left out by the API where it is false.
        off: gcloud's flag that switches it off.
    """
    return Manual(
        commands=[request.argv],
        check=[look(context, ".".join(path[:-1]))],
        undo=[update(context, off)],
        note="A cluster that 2.2 made has it: the command is for a cluster that was there before.",
    )
