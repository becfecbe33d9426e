"""Every change that is asked of the GKE API: a request, and the gcloud command that sends the same.

Facts: the body fields are those of the official schema (container v1), and equal what gcloud 528 sends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from runbook.clients.gke_shapes import PLAIN, Shape

Capacity = Literal["reservation", "on-demand", "spot", "flex-start"]

NODE_SCOPES = tuple(
    f"https://www.googleapis.com/auth/{scope}"
    for scope in (
        "devstorage.read_only",
        "logging.write",
        "monitoring",
        "service.management.readonly",
        "servicecontrol",
        "trace.append",
    )
)
"""What gcloud gives nodes when it is not told otherwise."""

RESERVATION_KEY = "compute.googleapis.com/reservation-name"

ADDONS: Mapping[str, tuple[str, dict[str, bool]]] = {
    "HttpLoadBalancing": ("httpLoadBalancing", {"disabled": False}),
    "GcsFuseCsiDriver": ("gcsFuseCsiDriverConfig", {"enabled": True}),
}
"""gcloud's name of an add-on, its field of addonsConfig, and what that field holds when it is on."""


@dataclass(frozen=True)
class GkeRequest:
    """One write to the GKE API, and the command that does the same.

    Args:
        method: POST, PUT or DELETE.
        path: below the API's base address, without a slash in front.
        body: the JSON body; None for DELETE.
        argv: the equivalent gcloud command.
    """

    method: str
    path: str
    body: Mapping[str, Any] | None
    argv: Sequence[str]


@dataclass(frozen=True)
class ClusterName:
    """Which cluster.

    Args:
        project: the project's ID.
        location: region or zone of the control plane.
        name: the cluster's name.
    """

    project: str
    location: str
    name: str

    @property
    def parent(self) -> str:
        """The location's resource name."""
        return f"projects/{self.project}/locations/{self.location}"

    @property
    def path(self) -> str:
        """The cluster's resource name."""
        return f"{self.parent}/clusters/{self.name}"

    @property
    def workload_pool(self) -> str:
        """The one workload pool that a project's clusters can have."""
        return f"{self.project}.svc.id.goog"

    @property
    def flags(self) -> tuple[str, str]:
        """What no gcloud command should go without, or it takes them from its own configuration."""
        return f"--project={self.project}", f"--location={self.location}"


def create_cluster(
    cluster: ClusterName,
    *,
    release_channel: str,
    machine_type: str,
    nodes: int,
    zones: Sequence[str],
    gateway_api: bool,
    shape: Shape = PLAIN,
) -> GkeRequest:
    """Section 2.2, with all that 2.3 asks for.

    `--addons` is an exclusive list that switches off the rest, so horizontal Pod autoscaling is named too.

    Args:
        release_channel: rapid, regular, stable or extended.
        machine_type: of the system nodes.
        nodes: system nodes in each zone.
        zones: of the system nodes; GKE alone would take three.
        gateway_api: whether the Gateway API is wanted.
        shape: its place in the network.
    """
    body = {
        "name": cluster.name,
        "locations": list(zones),
        "releaseChannel": {"channel": release_channel.upper()},
        "workloadIdentityConfig": {"workloadPool": cluster.workload_pool},
        "addonsConfig": {
            **dict(ADDONS.values()),
            "horizontalPodAutoscaling": {"disabled": False},
            "kubernetesDashboard": {"disabled": True},
            "networkPolicyConfig": {"disabled": True},
        },
        "nodePools": [_pool("default-pool", nodes, {"machineType": machine_type})],
        **shape.fields(autopilot=False),
    }
    gateway = {"gatewayApiConfig": {"channel": "CHANNEL_STANDARD"}} if gateway_api else {}
    if network := {**gateway, **shape.network_config()}:
        body["networkConfig"] = network
    argv = [
        *("gcloud", "container", "clusters", "create", cluster.name, *cluster.flags),
        f"--workload-pool={cluster.workload_pool}",
        f"--release-channel={release_channel}",
        f"--machine-type={machine_type}",
        f"--num-nodes={nodes}",
        f"--node-locations={','.join(zones)}",
        f"--addons=HorizontalPodAutoscaling,{','.join(ADDONS)}",
        *(["--gateway-api=standard"] if gateway_api else []),
        *shape.flags(autopilot=False),
    ]
    return _create(cluster, body, argv)


def create_autopilot_cluster(
    cluster: ClusterName, *, release_channel: str, shape: Shape = PLAIN
) -> GkeRequest:
    """Section 2.2 for a cluster whose nodes GKE makes as Pods ask; the features of 2.3 are part of it.

    Args:
        release_channel: rapid, regular, stable or extended.
        shape: its place in the network.
    """
    body = {
        "name": cluster.name,
        "autopilot": {"enabled": True},
        "releaseChannel": {"channel": release_channel.upper()},
        "nodePools": [
            {"name": "default-pool", "initialNodeCount": 1, "config": {"oauthScopes": list(NODE_SCOPES)}}
        ],
        **shape.fields(autopilot=True),
    }
    if network := shape.network_config():
        body["networkConfig"] = network
    argv = [
        *("gcloud", "container", "clusters", "create-auto", cluster.name, *cluster.flags),
        f"--release-channel={release_channel}",
        *shape.flags(autopilot=True),
    ]
    return _create(cluster, body, argv)


def delete_cluster(cluster: ClusterName) -> GkeRequest:
    """Section 6.3."""
    argv = ("gcloud", "container", "clusters", "delete", cluster.name, *cluster.flags, "--quiet")
    return GkeRequest("DELETE", cluster.path, None, argv)


def enable_workload_identity(cluster: ClusterName) -> GkeRequest:
    """Section 2.3.1, the cluster's half."""
    update = {"desiredWorkloadIdentityConfig": {"workloadPool": cluster.workload_pool}}
    return _update(cluster, update, f"--workload-pool={cluster.workload_pool}")


def enable_addons(cluster: ClusterName, addons: Sequence[str]) -> GkeRequest:
    """Sections 2.3.2 and 2.3.4; add-ons are the one feature of which an update takes several (D7).

    Args:
        addons: keys of ADDONS, at least one.
    """
    update = {"desiredAddonsConfig": dict(ADDONS[addon] for addon in addons)}
    listed = ",".join(f"{addon}=ENABLED" for addon in addons)
    return _update(cluster, update, f"--update-addons={listed}")


def enable_gateway_api(cluster: ClusterName) -> GkeRequest:
    """Section 2.3.3."""
    return _update(
        cluster, {"desiredGatewayApiConfig": {"channel": "CHANNEL_STANDARD"}}, "--gateway-api=standard"
    )


def use_gke_metadata(cluster: ClusterName, node_pool: str) -> GkeRequest:
    """Section 2.3.1, the node pool's half; GKE makes the pool's nodes anew."""
    mode = {"workloadMetadataConfig": {"mode": "GKE_METADATA"}}
    return _update_pool(cluster, node_pool, mode, "--workload-metadata=GKE_METADATA")


def replace_nodes_in_place(cluster: ClusterName, node_pool: str) -> GkeRequest:
    """Have a node's successor take its machine, not a further one that a reservation may lack (D6)."""
    settings = {"upgradeSettings": {"maxSurge": 0, "maxUnavailable": 1}}
    return _update_pool(cluster, node_pool, settings, "--max-surge-upgrade=0", "--max-unavailable-upgrade=1")


def create_node_pool(
    cluster: ClusterName,
    name: str,
    *,
    machine_type: str,
    nodes: int,
    zone: str,
    capacity: Capacity,
    reservation: str,
    topology: str | None,
    private_nodes: bool = False,
) -> GkeRequest:
    """Section 2.4.

    Args:
        name: the node pool's name.
        machine_type: such as tpu7x-standard-4t.
        nodes: nodes; for flex-start the most that there may be, as they come when a Pod asks.
        zone: of the nodes.
        capacity: where the machines come from.
        reservation: the reservation's name; empty unless capacity is `reservation`.
        topology: of a slice that spans nodes; None for single-host pools, which must not be given theirs.
        private_nodes: whether its nodes have no public address, whatever the cluster's other nodes have.
    """
    config: dict[str, Any] = {
        "machineType": machine_type,
        "workloadMetadataConfig": {"mode": "GKE_METADATA"},
        **_capacity_config(capacity, reservation),
    }
    flexible = capacity == "flex-start"
    pool = _pool(name, 0 if flexible else nodes, config)
    pool["locations"] = [zone]
    if flexible:
        pool["autoscaling"] = {"enabled": True, "minNodeCount": 0, "maxNodeCount": nodes}
        pool["management"]["autoRepair"] = False
    if topology:
        pool["placementPolicy"] = {"tpuTopology": topology}
    if private_nodes:
        pool["networkConfig"] = {"enablePrivateNodes": True}
    argv = (
        *("gcloud", "container", "node-pools", "create", name, f"--cluster={cluster.name}", *cluster.flags),
        f"--node-locations={zone}",
        f"--machine-type={machine_type}",
        f"--num-nodes={pool['initialNodeCount']}",
        "--workload-metadata=GKE_METADATA",
        *_capacity_flags(capacity, reservation, nodes),
        *([f"--tpu-topology={topology}"] if topology else []),
        *(["--enable-private-nodes"] if private_nodes else []),
    )
    path = f"{cluster.path}/nodePools"
    return GkeRequest("POST", path, {"parent": cluster.path, "nodePool": pool}, argv)


def resize_node_pool(cluster: ClusterName, name: str, nodes: int) -> GkeRequest:
    """Section 2.4: another number of nodes.

    Args:
        nodes: how many, in each zone of the node pool.
    """
    argv = (
        *("gcloud", "container", "clusters", "resize", cluster.name, *cluster.flags),
        *(f"--node-pool={name}", f"--num-nodes={nodes}", "--quiet"),
    )
    path = f"{cluster.path}/nodePools/{name}"
    return GkeRequest("POST", f"{path}:setSize", {"name": path, "nodeCount": nodes}, argv)


def delete_node_pool(cluster: ClusterName, name: str) -> GkeRequest:
    """Section 6.2."""
    argv = (
        *("gcloud", "container", "node-pools", "delete", name, f"--cluster={cluster.name}", *cluster.flags),
        "--quiet",
    )
    return GkeRequest("DELETE", f"{cluster.path}/nodePools/{name}", None, argv)


def _create(cluster: ClusterName, body: dict[str, Any], argv: Sequence[str]) -> GkeRequest:
    path = f"{cluster.parent}/clusters"
    return GkeRequest("POST", path, {"parent": cluster.parent, "cluster": body}, argv)


def _update(cluster: ClusterName, update: dict[str, Any], flag: str) -> GkeRequest:
    """Make one cluster update; GKE takes one field of ClusterUpdate in a request."""
    argv = ("gcloud", "container", "clusters", "update", cluster.name, *cluster.flags, flag)
    return GkeRequest("PUT", cluster.path, {"name": cluster.path, "update": update}, argv)


def _update_pool(cluster: ClusterName, name: str, update: dict[str, Any], *flags: str) -> GkeRequest:
    path = f"{cluster.path}/nodePools/{name}"
    described = ("gcloud", "container", "node-pools", "update", name, f"--cluster={cluster.name}")
    return GkeRequest("PUT", path, {"name": path, **update}, (*described, *cluster.flags, *flags))


def _pool(name: str, nodes: int, config: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "initialNodeCount": nodes,
        "config": {"oauthScopes": list(NODE_SCOPES), **config},
        "management": {"autoRepair": True, "autoUpgrade": True},
        "upgradeSettings": {"maxSurge": 1},
    }


def _capacity_config(capacity: Capacity, reservation: str) -> dict[str, Any]:
    if capacity == "reservation":
        affinity = {
            "consumeReservationType": "SPECIFIC_RESERVATION",
            "key": RESERVATION_KEY,
            "values": [reservation],
        }
        return {"reservationAffinity": affinity}
    if capacity == "flex-start":
        return {"flexStart": True, "reservationAffinity": {"consumeReservationType": "NO_RESERVATION"}}
    return {"spot": True} if capacity == "spot" else {}


def _capacity_flags(capacity: Capacity, reservation: str, nodes: int) -> list[str]:
    match capacity:
        case "reservation":
            return ["--reservation-affinity=specific", f"--reservation={reservation}"]
        case "flex-start":
            return [
                "--flex-start",
                "--reservation-affinity=none",
                "--enable-autoscaling",
                "--min-nodes=0",
                f"--max-nodes={nodes}",
                "--no-enable-autorepair",
            ]
        case "spot":
            return ["--spot"]
        case "on-demand":
            return []
