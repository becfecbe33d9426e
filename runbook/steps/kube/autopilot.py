"""How a Pod asks an Autopilot cluster for its node: by labels, where a node pool has fields."""

from __future__ import annotations

from runbook.config.schema import Variables

RESERVATION = "cloud.google.com/reservation-"
PROVISIONING = {"spot": "cloud.google.com/gke-spot", "flex-start": "cloud.google.com/gke-flex-start"}


def node_labels(variables: Variables) -> dict[str, str]:
    """Give what the server's Pods select their nodes by beside the TPU; nothing in a Standard cluster.

    The labels are those of GKE's guides to reservations, Spot and flex-start Pods in Autopilot clusters.
    """
    if variables.cluster.mode != "autopilot":
        return {}
    return {"topology.kubernetes.io/zone": variables.zone, **_capacity(variables)}


def _capacity(variables: Variables) -> dict[str, str]:
    pool = variables.node_pool
    if pool.capacity == "reservation":
        return _reservation(pool.reservation)
    if pool.capacity in PROVISIONING:
        return {PROVISIONING[pool.capacity]: "true"}
    return {}


def _reservation(name: str) -> dict[str, str]:
    parts = name.split("/")
    labels = {f"{RESERVATION}affinity": "specific", f"{RESERVATION}name": parts[-1]}
    return labels | ({f"{RESERVATION}project": parts[1]} if len(parts) > 1 else {})
