"""Node pools as the API shows them: what a request leaves out, what it may not ask for, and updates."""

from __future__ import annotations

import re
from typing import Any

from rehearsal.front.errors import GoogleError
from rehearsal.gke.locations import region_of, zones_of
from rehearsal.gke.machines import machine_type
from rehearsal.gke.names import API, ClusterName, check_name, short_hash
from rehearsal.gke.nodes import RESERVATION_KEY

DEFAULT_MACHINE_TYPE = "e2-medium"
DEFAULT_SCOPES = [
    "https://www.googleapis.com/auth/devstorage.read_only",
    "https://www.googleapis.com/auth/logging.write",
    "https://www.googleapis.com/auth/monitoring",
    "https://www.googleapis.com/auth/service.management.readonly",
    "https://www.googleapis.com/auth/servicecontrol",
    "https://www.googleapis.com/auth/trace.append",
]
SINGLE_HOST = (
    "TPU topology can't be specified with single-host TPU slice pool; please remove the tpu_topology from the"
    " node pool creation request"
)
IDENTITY_FIELDS = ("name", "projectId", "zone", "clusterId", "nodePoolId", "etag")
CONFIG_UPDATES = {"workloadMetadataConfig": None, "imageType": None, "labels": "labels", "taints": "taints"}
"""Fields of UpdateNodePoolRequest that belong to the pool's `config`, with the wrapper that they come in."""
POOL_UPDATES = {"upgradeSettings": "upgradeSettings", "nodeVersion": "version", "locations": "locations"}
RECREATING = ("workloadMetadataConfig", "imageType", "nodeVersion")
"""Updates for which GKE makes the pool's Nodes anew."""

RESERVATION = re.compile(r"(projects/[^/]+/reservations/)?[a-z][a-z0-9-]*(/reservationBlocks/[a-z0-9-]+)?")

NodePool = dict[str, Any]


def new_node_pool(cluster: ClusterName, given: NodePool, parent: dict[str, Any]) -> NodePool:
    """Complete a node pool that a request asks for.

    Args:
        cluster: whose pool it becomes.
        given: the request's `nodePool`.
        parent: the cluster as the API returns it.

    Raises:
        GoogleError: 400, GKE would not make such a pool.
    """
    name = given.get("name", "")
    check_name("node pool", name)
    locations = given.get("locations") or parent["locations"]
    config = _new_config(given.get("config", {}), bool(_workload_pool(parent)))
    pool = _defaults(cluster, name, parent["currentMasterVersion"], locations) | given
    pool |= {"config": config, "locations": locations, "status": "PROVISIONING"}
    private = {"enablePrivateNodes": True} if _has_private_nodes(parent) else {}
    pool["networkConfig"] = _pod_network(cluster) | private | given.get("networkConfig", {})
    pool["upgradeSettings"] = {"strategy": "SURGE", "maxSurge": 1} | given.get("upgradeSettings", {})
    _check_locations(cluster, locations)
    _check_config(pool, parent)
    return pool


def _new_config(given: dict[str, Any], has_workload_pool: bool) -> dict[str, Any]:
    defaults = {
        "machineType": DEFAULT_MACHINE_TYPE,
        "diskSizeGb": 100,
        "diskType": "hyperdisk-balanced"
        if given.get("machineType", "").startswith("tpu7x")
        else "pd-balanced",
        "imageType": "COS_CONTAINERD",
        "metadata": {"disable-legacy-endpoints": "true"},
        "oauthScopes": DEFAULT_SCOPES,
        "serviceAccount": "default",
        "shieldedInstanceConfig": {"enableIntegrityMonitoring": True},
        "windowsNodeConfig": {},
        "effectiveCgroupMode": "EFFECTIVE_CGROUP_MODE_V2",
    }
    identity = {"workloadMetadataConfig": {"mode": "GKE_METADATA"}} if has_workload_pool else {}
    return defaults | identity | given


def _defaults(cluster: ClusterName, name: str, version: str, zones: list[str]) -> NodePool:
    groups = [
        f"https://www.googleapis.com/compute/v1/projects/{cluster.project}/zones/{zone}/instanceGroupManagers/"
        f"gke-{cluster.cluster[:20]}-{name[:18]}-{short_hash(f'{cluster.node_pool(name)}/{zone}')}-grp"
        for zone in zones
    ]
    return {
        "initialNodeCount": 0,
        "instanceGroupUrls": groups,
        "management": {"autoRepair": True, "autoUpgrade": True},
        "maxPodsConstraint": {"maxPodsPerNode": "110"},
        "podIpv4CidrSize": 24,
        "selfLink": f"{API}/{cluster.node_pool(name)}",
        "version": version,
    }


def _pod_network(cluster: ClusterName) -> dict[str, Any]:
    return {"podIpv4CidrBlock": "10.4.0.0/14", "podRange": f"gke-{cluster.cluster}-pods"}


def _has_private_nodes(parent: dict[str, Any]) -> bool:
    return bool(parent["networkConfig"].get("defaultEnablePrivateNodes"))


def _check_locations(cluster: ClusterName, locations: list[str]) -> None:
    region = region_of(cluster.location)
    for zone in locations:
        if zone not in zones_of(region):
            raise GoogleError(400, f'Location "{zone}" does not exist in region "{region}".')


def _check_config(pool: NodePool, parent: dict[str, Any]) -> None:
    config = pool["config"]
    machines = [machine_type(config["machineType"], zone) for zone in pool["locations"]]
    topology = pool.get("placementPolicy", {}).get("tpuTopology")
    if topology and machines[0].tpu_topology == topology:
        raise GoogleError(400, SINGLE_HOST)
    if topology and machines[0].tpu_chips:
        raise GoogleError(400, f"The rehearsal does not emulate multi-host TPU slices (topology {topology}).")
    _check_reservation(config.get("reservationAffinity", {}))
    check_workload_metadata(config, parent)


def _check_reservation(affinity: dict[str, Any]) -> None:
    """Refuse a specific reservation that is not named, or neither by its name nor by its full path."""
    if affinity.get("consumeReservationType") != "SPECIFIC_RESERVATION":
        return
    values = affinity.get("values", [])
    if affinity.get("key") != RESERVATION_KEY or len(values) != 1 or not values[0]:
        raise GoogleError(400, "A specific reservation affinity must name a key and exactly one reservation.")
    if not RESERVATION.fullmatch(values[0]):
        raise GoogleError(400, f'Invalid reservation "{values[0]}": it is neither a name nor a full path.')


def check_workload_metadata(config: dict[str, Any], parent: dict[str, Any]) -> None:
    """Refuse the GKE metadata server where the cluster has no workload pool.

    Raises:
        GoogleError: 400.
    """
    mode = config.get("workloadMetadataConfig", {}).get("mode")
    if mode == "GKE_METADATA" and not _workload_pool(parent):
        raise GoogleError(
            400,
            "GKE_METADATA needs Workload Identity: the cluster has no workload pool.",
        )


def _workload_pool(parent: dict[str, Any]) -> str:
    pool: str = parent.get("workloadIdentityConfig", {}).get("workloadPool", "")
    return pool


def check_update(pool: NodePool, update: dict[str, Any], parent: dict[str, Any]) -> None:
    """Refuse an update that GKE refuses, or that the rehearsal does not emulate.

    Raises:
        GoogleError: 400; 409 when the etag is an older one.
    """
    for field in update:
        if field not in CONFIG_UPDATES and field not in POOL_UPDATES and field not in IDENTITY_FIELDS:
            raise GoogleError(400, f"The rehearsal does not emulate this update of a node pool: {field}.")
    if update.get("etag", pool.get("etag")) != pool.get("etag"):
        raise GoogleError(409, "The etag does not match the node pool's current one.", "ABORTED")
    check_workload_metadata(update, parent)


def updated(pool: NodePool, update: dict[str, Any]) -> NodePool:
    """Return the pool as an update leaves it."""
    config = dict(pool["config"])
    for field, wrapper in CONFIG_UPDATES.items():
        if field in update:
            config[field] = update[field].get(wrapper, {}) if wrapper else update[field]
    changed = {name: update[field] for field, name in POOL_UPDATES.items() if field in update}
    if changed.get("version") in ("-", "latest", ""):
        changed.pop("version")
    return pool | changed | {"config": config}
