"""The Nodes that a node pool makes: names, labels, taints and capacity as on GKE."""

from __future__ import annotations

from typing import Any

from rehearsal.gke.locations import region_of
from rehearsal.gke.machines import MachineType, machine_type
from rehearsal.gke.names import ClusterName, short_hash

KIB_PER_GIB = 1024 * 1024
USABLE_MEMORY = 0.98
"""The part of a machine's memory that its kernel leaves over (Node capacity of GKE's e2 machines)."""
EFFECTS = {"NO_SCHEDULE": "NoSchedule", "PREFER_NO_SCHEDULE": "PreferNoSchedule", "NO_EXECUTE": "NoExecute"}
RESERVATION_KEY = "compute.googleapis.com/reservation-name"


def nodes_of(cluster: ClusterName, pool: dict[str, Any], size: int, generation: int) -> list[dict[str, Any]]:
    """List the Nodes of a node pool.

    Args:
        cluster: whose pool it is.
        pool: the node pool as the API returns it.
        size: Nodes in each of its zones.
        generation: how often GKE made them anew; another generation has other names.
    """
    return [
        _node(cluster, pool, zone, f"{generation}/{index}")
        for zone in pool["locations"]
        for index in range(size)
    ]


def _node(cluster: ClusterName, pool: dict[str, Any], zone: str, instance: str) -> dict[str, Any]:
    config = pool["config"]
    machine = machine_type(config["machineType"], zone)
    name = _node_name(cluster, pool["name"], machine, zone, instance)
    return {
        "name": name,
        "node_pool": pool["name"],
        "zone": zone,
        "machine_type": machine.name,
        "labels": _labels(pool, machine, zone) | {"kubernetes.io/hostname": name},
        "taints": _taints(config, machine),
        "capacity": _capacity(machine),
        "workload_metadata": config.get("workloadMetadataConfig", {}).get("mode", "GCE_METADATA"),
    }


def _node_name(cluster: ClusterName, pool: str, machine: MachineType, zone: str, instance: str) -> str:
    group = short_hash(f"{cluster.node_pool(pool)}/{zone}")
    suffix = short_hash(f"{group}/{instance}", 4)
    if machine.tpu_chips:
        return f"gke-tpu-{group}-{suffix}"
    return f"gke-{cluster.cluster[:20]}-{pool[:18]}-{group}-{suffix}"


def _labels(pool: dict[str, Any], machine: MachineType, zone: str) -> dict[str, str]:
    region = region_of(zone)
    labels = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/instance-type": machine.name,
        "beta.kubernetes.io/os": "linux",
        "cloud.google.com/gke-boot-disk": pool["config"]["diskType"],
        "cloud.google.com/gke-container-runtime": "containerd",
        "cloud.google.com/gke-cpu-scaling-level": str(machine.cpus),
        "cloud.google.com/gke-logging-variant": "DEFAULT",
        "cloud.google.com/gke-max-pods-per-node": pool["maxPodsConstraint"]["maxPodsPerNode"],
        "cloud.google.com/gke-memory-gb-scaling-level": str(machine.memory_gib),
        "cloud.google.com/gke-nodepool": pool["name"],
        "cloud.google.com/gke-os-distribution": "cos",
        "cloud.google.com/gke-stack-type": "IPV4",
        "cloud.google.com/machine-family": machine.name.split("-", maxsplit=1)[0],
        "failure-domain.beta.kubernetes.io/region": region,
        "failure-domain.beta.kubernetes.io/zone": zone,
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": machine.name,
        "topology.gke.io/zone": zone,
        "topology.kubernetes.io/region": region,
        "topology.kubernetes.io/zone": zone,
    }
    own: dict[str, str] = pool["config"].get("labels", {})
    return labels | _tpu_labels(machine) | _provisioning_labels(pool["config"]) | own


def _tpu_labels(machine: MachineType) -> dict[str, str]:
    if not machine.tpu_chips:
        return {}
    return {
        "cloud.google.com/gke-accelerator-count": str(machine.tpu_chips),
        "cloud.google.com/gke-tpu-accelerator": machine.tpu_accelerator,
        "cloud.google.com/gke-tpu-topology": machine.tpu_topology,
    }


def _provisioning_labels(config: dict[str, Any]) -> dict[str, str]:
    """Label how the machine was got, and whether GKE's metadata server runs on it."""
    labels = {"cloud.google.com/gke-provisioning": "standard"}
    affinity = config.get("reservationAffinity", {})
    if affinity.get("key") == RESERVATION_KEY:
        labels["cloud.google.com/reservation-name"] = affinity["values"][0].rsplit("/", maxsplit=1)[-1]
    if config.get("spot"):
        labels |= {"cloud.google.com/gke-provisioning": "spot", "cloud.google.com/gke-spot": "true"}
    if config.get("flexStart"):
        labels["cloud.google.com/gke-flex-start"] = "true"
    if config.get("workloadMetadataConfig", {}).get("mode") == "GKE_METADATA":
        labels["iam.gke.io/gke-metadata-server-enabled"] = "true"
    return labels


def _taints(config: dict[str, Any], machine: MachineType) -> list[dict[str, str]]:
    taints = [
        {"key": taint["key"], "value": taint.get("value", ""), "effect": EFFECTS[taint["effect"]]}
        for taint in config.get("taints", [])
    ]
    if machine.tpu_chips:
        taints.append({"key": "google.com/tpu", "value": "present", "effect": "NoSchedule"})
    return taints


def _capacity(machine: MachineType) -> dict[str, str]:
    memory = int(machine.memory_gib * KIB_PER_GIB * USABLE_MEMORY)
    capacity = {"cpu": str(machine.cpus), "memory": f"{memory}Ki"}
    return capacity | ({"google.com/tpu": str(machine.tpu_chips)} if machine.tpu_chips else {})
