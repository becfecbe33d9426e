"""Clusters as the API shows them: what a request leaves out, what it may not ask for, and updates."""

from __future__ import annotations

import time
from typing import Any

from rehearsal.front.errors import GoogleError
from rehearsal.gke.locations import check_location, default_zones, region_of
from rehearsal.gke.names import API, ClusterName, check_name, short_hash
from rehearsal.gke.versions import chosen_version
from rehearsal.projects import project_number

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
    if given.get("autopilot", {}).get("enabled"):
        raise GoogleError(400, "The rehearsal does not emulate Autopilot clusters.")
    check_workload_pool(name.project, given.get("workloadIdentityConfig", {}))
    version = chosen_version(given.get("initialClusterVersion", ""))
    cluster = _defaults(name, version) | _network(name) | given
    cluster["addonsConfig"] = DEFAULT_ADDONS | given.get("addonsConfig", {})
    cluster["networkConfig"] = _network(name)["networkConfig"] | given.get("networkConfig", {})
    cluster["locations"] = given.get("locations") or default_zones(name.location)
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


def _network(name: ClusterName) -> Cluster:
    region = region_of(name.location)
    dns = f"gke-{short_hash(str(name), 32)}-{project_number(name.project)}.{region}.gke.goog"
    return {
        "clusterIpv4Cidr": "10.4.0.0/14",
        "controlPlaneEndpointsConfig": {
            "dnsEndpointConfig": {"endpoint": dns},
            "ipEndpointsConfig": {
                "enabled": True,
                "enablePublicEndpoint": True,
                "authorizedNetworksConfig": {},
            },
        },
        "ipAllocationPolicy": {
            "clusterIpv4CidrBlock": "10.4.0.0/14",
            "servicesIpv4CidrBlock": "34.118.224.0/20",
            "stackType": "IPV4",
            "useIpAliases": True,
        },
        "network": "default",
        "networkConfig": {
            "network": f"projects/{name.project}/global/networks/default",
            "subnetwork": f"projects/{name.project}/regions/{region}/subnetworks/default",
            "serviceExternalIpsConfig": {},
        },
        "servicesIpv4Cidr": "34.118.224.0/20",
        "subnetwork": "default",
    }


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
    elif field == "desiredMasterVersion":
        value = chosen_version(value)
    return cluster | {target: value}
