"""Autopilot clusters: what they have without being asked, and what they refuse."""

from __future__ import annotations

from typing import Any

from rehearsal.front.errors import GoogleError
from rehearsal.gke.locations import REGIONS
from rehearsal.gke.names import ClusterName

NODE_POOLS = "Autopilot node pools cannot be accessed or modified."
ALWAYS_ON = {
    "gcsFuseCsiDriverConfig": {"enabled": True},
    "gcpFilestoreCsiDriverConfig": {"enabled": True},
    "httpLoadBalancing": {},
}

Cluster = dict[str, Any]


def is_autopilot(cluster: Cluster) -> bool:
    """Tell whether GKE makes the cluster's nodes by itself."""
    return bool(cluster.get("autopilot", {}).get("enabled"))


def autopilot_fields(name: ClusterName, given: Cluster) -> Cluster:
    """Complete what a request for an Autopilot cluster leaves to GKE.

    Raises:
        GoogleError: 400, GKE would not make such a cluster.
    """
    if name.location not in REGIONS:
        raise GoogleError(400, "Autopilot clusters must be regional clusters.")
    gateway = {"gatewayApiConfig": {"channel": "CHANNEL_STANDARD"}}
    return given | {
        "workloadIdentityConfig": {"workloadPool": f"{name.project}.svc.id.goog"},
        "addonsConfig": given.get("addonsConfig", {}) | ALWAYS_ON,
        "networkConfig": gateway | given.get("networkConfig", {}),
        "verticalPodAutoscaling": {"enabled": True},
    }


def check_update(cluster: Cluster, update: dict[str, Any]) -> None:
    """Refuse to switch off what an Autopilot cluster cannot be without.

    Raises:
        GoogleError: 400.
    """
    addons = update.get("desiredAddonsConfig", {})
    off = (
        addons.get("httpLoadBalancing", {}).get("disabled"),
        addons.get("gcsFuseCsiDriverConfig", {"enabled": True}).get("enabled") is False,
        update.get("desiredWorkloadIdentityConfig", {"workloadPool": "kept"}).get("workloadPool") == "",
    )
    if is_autopilot(cluster) and any(off):
        raise GoogleError(400, "The rehearsal does not switch off what Autopilot clusters always have.")


def refuse_node_pools(cluster: Cluster) -> None:
    """Refuse every request about the node pools of an Autopilot cluster, as GKE does.

    Raises:
        GoogleError: 400.
    """
    if is_autopilot(cluster):
        raise GoogleError(400, NODE_POOLS)
