"""What several checks want to know of the cluster's insides; each list is read once for all of them."""

from __future__ import annotations

from collections.abc import Sequence

from runbook.clients.kube.objects import Object
from runbook.steps.context import Context
from runbook.steps.gke.reads import cluster, is_autopilot, node_pool
from runbook.steps.kube.cluster import client, is_there

POOL_LABEL = "cloud.google.com/gke-nodepool"
ACCELERATOR_LABEL = "cloud.google.com/gke-tpu-accelerator"
TOPOLOGY_LABEL = "cloud.google.com/gke-tpu-topology"
CHIPS = "google.com/tpu"

NO_CLUSTER = "there is no cluster yet"


def of_kubeconfig(context: Context) -> bool:
    """Tell whether the cluster is used as it is, without GKE's API."""
    return context.variables.provider == "kubeconfig"


def reachable(context: Context) -> bool:
    """Tell whether there is a cluster whose insides can be read."""
    if of_kubeconfig(context):
        return True
    found = cluster(context)
    return found is not None and is_there(context) and found.get("status") not in {"PROVISIONING", "ERROR"}


def is_managed(context: Context) -> bool:
    """Tell whether the cluster makes TPU nodes by itself, for Pods that ask for them (Autopilot)."""
    found = None if of_kubeconfig(context) else cluster(context)
    return found is not None and is_autopilot(found)


def has_pool(context: Context) -> bool:
    """Tell whether the TPU node pool has been made; without one of ours, whether there are TPU nodes."""
    if of_kubeconfig(context) or is_managed(context):
        return bool(tpu_nodes(context))
    found = cluster(context)
    return found is not None and node_pool(context, found) is not None


def listed(context: Context, api_version: str, kind: str, namespace: str = "") -> Sequence[Object]:
    """List the objects of a kind.

    Args:
        namespace: empty for all, or for a cluster-wide kind.
    """
    return context.facts.read(
        ("kube", "list", kind, namespace), lambda: client(context).list(api_version, kind, namespace)
    )


def nodes(context: Context) -> Sequence[Object]:
    """List the cluster's nodes."""
    return listed(context, "v1", "Node")


def tpu_nodes(context: Context) -> list[Object]:
    """List the nodes of the TPU node pool; without one of ours, those with the accelerator's label."""
    variables = context.variables
    if of_kubeconfig(context) or is_managed(context):
        label, value = ACCELERATOR_LABEL, variables.tpu.accelerator
    else:
        label, value = POOL_LABEL, variables.node_pool.name
    return [node for node in nodes(context) if labels_of(node).get(label) == value]


def labels_of(found: Object) -> dict[str, str]:
    """Give an object's labels."""
    labels: dict[str, str] = found["metadata"].get("labels") or {}
    return labels


def chips_of(node: Object) -> int:
    """Count the TPU chips that Pods may have on a node."""
    return int(node.get("status", {}).get("allocatable", {}).get(CHIPS, "0"))
