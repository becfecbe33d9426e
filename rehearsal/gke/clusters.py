"""Clusters as the API shows them: what a request leaves out, what it may not ask for, and updates."""

from __future__ import annotations

import time
from typing import Any

from rehearsal.front.errors import GoogleError
from rehearsal.gke import autopilot
from rehearsal.gke.locations import REGIONS, check_location, default_zones
from rehearsal.gke.names import API, ClusterName, check_name, short_hash
from rehearsal.gke.networks import endpoint_fields, network_fields
from rehearsal.gke.versions import chosen_version

DEFAULT_ADDONS: dict[str, dict[str, Any]] = {
    "dnsCacheConfig": {"enabled": True},
    "gcePersistentDiskCsiDriverConfig": {"enabled": True},
    "horizontalPodAutoscaling": {},
    "httpLoadBalancing": {},
    "kubernetesDashboard": {"disabled": True},
    "networkPolicyConfig": {"disabled": True},
}
UPDATES = {
    "desiredAddonsConfig": "addonsConfig",
    "desiredWorkloadIdentityConfig": "workloadIdentityConfig",
    "desiredGatewayApiConfig": "networkConfig",
    "desiredControlPlaneEndpointsConfig": "controlPlaneEndpointsConfig",
    "desiredReleaseChannel": "releaseChannel",
    "desiredLoggingConfig": "loggingConfig",
    "desiredMonitoringConfig": "monitoringConfig",
    "desiredVerticalPodAutoscaling": "verticalPodAutoscaling",
    "desiredLocations": "locations",
    "desiredMasterVersion": "currentMasterVersion",
}
"""The fields of ClusterUpdate that are emulated, with the cluster's field that they change."""
ONE_UPDATE = (
    "Exactly one update can be applied to a cluster with each request, so at most one field can be provided."
)

Cluster = dict[str, Any]


def new_cluster(name: ClusterName, given: Cluster) -> Cluster:
    """Complete a cluster that a request asks for, without its node pools.

    Raises:
        GoogleError: 400, GKE would not make such a cluster.
    """
    check_location(name.location)
    check_name("cluster", name.cluster)
    if autopilot.is_autopilot(given):
        given = autopilot.autopilot_fields(name, given)
    check_workload_pool(name.project, given.get("workloadIdentityConfig", {}))
    version = chosen_version(given.get("initialClusterVersion", ""))
    cluster = _defaults(name, version) | given | network_fields(name, given)
    cluster["controlPlaneEndpointsConfig"] = endpoint_fields(given)
    cluster["addonsConfig"] = DEFAULT_ADDONS | given.get("addonsConfig", {})
    cluster["locations"] = given.get("locations") or default_zones(name.location)
    _check_zones(name, cluster["locations"])
    return cluster | {"name": name.cluster, "status": "PROVISIONING", "initialClusterVersion": version}


def _defaults(name: ClusterName, version: str) -> Cluster:
    return {
        "autopilot": {},
        "autoscaling": {"autoscalingProfile": "BALANCED"},
        "createTime": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime()),
        "currentMasterVersion": version,
        "currentNodeVersion": version,
        "databaseEncryption": {"state": "DECRYPTED", "currentState": "CURRENT_STATE_DECRYPTED"},
        "defaultMaxPodsConstraint": {"maxPodsPerNode": "110"},
        "id": short_hash(f"{name}{time.time_ns()}", 64),
        "labelFingerprint": "a9dc16a7",
        "legacyAbac": {},
        "location": name.location,
        "loggingConfig": {"componentConfig": {"enableComponents": ["SYSTEM_COMPONENTS", "WORKLOADS"]}},
        "loggingService": "logging.googleapis.com/kubernetes",
        "monitoringConfig": {
            "componentConfig": {"enableComponents": ["SYSTEM_COMPONENTS"]},
            "managedPrometheusConfig": {"enabled": True},
        },
        "monitoringService": "monitoring.googleapis.com/kubernetes",
        "releaseChannel": {"channel": "REGULAR"},
        "selfLink": f"{API}/{name}",
        "shieldedNodes": {"enabled": True},
        "zone": name.location,
    }


def _check_zones(name: ClusterName, zones: list[str]) -> None:
    """Refuse a zonal cluster without nodes in its own zone."""
    if name.location not in REGIONS and name.location not in zones:
        raise GoogleError(400, f'Cluster.locations must contain the cluster\'s zone "{name.location}".')


def _merged(present: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """Lay the messages of a change over those that are there, field by field."""
    return present | {field: present.get(field, {}) | value for field, value in change.items()}


def check_workload_pool(project: str, config: dict[str, Any]) -> None:
    """Refuse a workload pool that is not the project's own.

    Raises:
        GoogleError: 400.
    """
    pool = config.get("workloadPool", "")
    if pool and pool != f"{project}.svc.id.goog":
        raise GoogleError(400, f'Invalid workload pool "{pool}": the only one is "{project}.svc.id.goog".')


def check_update(name: ClusterName, cluster: Cluster, update: dict[str, Any]) -> None:
    """Refuse an update that GKE refuses, or that the rehearsal does not emulate.

    Raises:
        GoogleError: 400; 409 when the etag is an older one.
    """
    if update.get("etag", cluster.get("etag")) != cluster.get("etag"):
        raise GoogleError(409, "The etag does not match the cluster's current one.", "ABORTED")
    fields = [field for field in update if field != "etag"]
    if not fields:
        raise GoogleError(400, "Must specify a field to update.")
    if len(fields) > 1:
        raise GoogleError(400, f"{ONE_UPDATE} Given: {', '.join(fields)}.")
    if fields[0] not in UPDATES:
        raise GoogleError(400, f"The rehearsal does not emulate this update of a cluster: {fields[0]}.")
    check_workload_pool(name.project, update.get("desiredWorkloadIdentityConfig", {}))
    autopilot.check_update(cluster, update)
    if "desiredControlPlaneEndpointsConfig" in update:
        endpoint_fields(updated(cluster, update))
    if "desiredMasterVersion" in update:
        chosen_version(update["desiredMasterVersion"])


def updated(cluster: Cluster, update: dict[str, Any]) -> Cluster:
    """Return the cluster as an update leaves it."""
    ((field, value),) = ((name, value) for name, value in update.items() if name != "etag")
    target = UPDATES[field]
    if field == "desiredAddonsConfig":
        value = cluster["addonsConfig"] | value
    elif field == "desiredGatewayApiConfig":
        value = cluster["networkConfig"] | {"gatewayApiConfig": value}
    elif field == "desiredControlPlaneEndpointsConfig":
        value = _merged(cluster["controlPlaneEndpointsConfig"], value)
    elif field == "desiredMasterVersion":
        value = chosen_version(value)
    return cluster | {target: value}
