"""Nodes: GKE decides which there are; the cluster shows them and takes their Pods away with them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from rehearsal.kube.api.kinds import kind_of
from rehearsal.kube.api.quantities import amount
from rehearsal.kube.api.store import Event, Object, Store, timestamp
from rehearsal.kube.control.control_loop import Controller, Key, key_of
from rehearsal.kube.facts import ClusterFacts

_MEBIBYTE = 2**20
_CONDITIONS = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


def register_nodes(store: Store, facts: ClusterFacts) -> None:
    """Make the Node objects what GKE says: new ones appear, changed ones change, others go."""
    kind = kind_of("Node")
    wanted = {entry["name"]: entry for entry in facts.nodes}
    for number, (name, entry) in enumerate(sorted(wanted.items())):
        old = store.get(kind, None, name)
        if old is None:
            store.create(kind, _node(entry, facts, number))
        else:
            store.update(kind, _refreshed(old, _node(entry, facts, number)))
    for node in store.list(kind):
        if node["metadata"]["name"] not in wanted:
            store.delete(kind, None, node["metadata"]["name"])


def is_extended(resource: str) -> bool:
    """Tell whether a resource is one that a device plugin registers, as google.com/tpu."""
    return "/" in resource


def _refreshed(old: Object, new: Object) -> Object:
    """Give a Node its new facts; what others put on it (labels, cordons, taints, devices) stays."""
    metadata = old["metadata"]
    labels = (metadata.get("labels") or {}) | new["metadata"]["labels"]
    ours = {(taint["key"], taint["effect"]) for taint in new["spec"]["taints"]}
    taints = [
        taint for taint in old["spec"].get("taints") or [] if (taint["key"], taint["effect"]) not in ours
    ]
    status = {**old["status"], "nodeInfo": new["status"]["nodeInfo"]}
    for field in ("capacity", "allocatable"):
        devices = {name: value for name, value in old["status"][field].items() if is_extended(name)}
        status[field] = new["status"][field] | devices
    spec = {**old["spec"], "taints": [*new["spec"]["taints"], *taints]}
    return {**old, "metadata": {**metadata, "labels": labels}, "spec": spec, "status": status}


def _node(entry: Mapping[str, Any], facts: ClusterFacts, number: int) -> Object:
    name, zone = entry["name"], entry.get("zone", facts.location)
    return {
        "metadata": {
            "name": name,
            "labels": _labels(entry, zone) | dict(entry.get("labels") or {}),
            "annotations": {"csi.volume.kubernetes.io/nodeid": "{}"},
        },
        "spec": {
            "podCIDR": f"10.8.{number}.0/24",
            "podCIDRs": [f"10.8.{number}.0/24"],
            "providerID": f"gce://{facts.project}/{zone}/{name}",
            "taints": [dict(taint) for taint in entry.get("taints") or []],
        },
        "status": _status(entry, facts, number),
    }


def _labels(entry: Mapping[str, Any], zone: str) -> dict[str, str]:
    machine = entry.get("machine_type", "")
    return {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": entry["name"],
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": machine,
        "topology.kubernetes.io/region": zone.rpartition("-")[0],
        "topology.kubernetes.io/zone": zone,
        "cloud.google.com/gke-nodepool": entry.get("node_pool", ""),
    }


def _status(entry: Mapping[str, Any], facts: ClusterFacts, number: int) -> Object:
    now = timestamp()
    own = {name: value for name, value in (entry.get("capacity") or {}).items() if not is_extended(name)}
    capacity = {"pods": "110", "ephemeral-storage": "98831908Ki", **own}
    identity = hashlib.sha256(entry["name"].encode()).hexdigest()
    return {
        "capacity": {name: str(value) for name, value in capacity.items()},
        "allocatable": _allocatable(capacity),
        "addresses": [
            {"type": "InternalIP", "address": f"10.128.0.{2 + number}"},
            {"type": "Hostname", "address": entry["name"]},
        ],
        "conditions": [
            {
                "type": kind,
                "status": status,
                "reason": reason,
                "message": message,
                "lastHeartbeatTime": now,
                "lastTransitionTime": now,
            }
            for kind, status, reason, message in _CONDITIONS
        ],
        "nodeInfo": {
            "architecture": "amd64",
            "bootID": identity[:32],
            "machineID": identity[:32],
            "systemUUID": identity[:32],
            "containerRuntimeVersion": "containerd://2.1.4",
            "kernelVersion": "6.12.46+",
            "kubeProxyVersion": f"v{facts.version}",
            "kubeletVersion": f"v{facts.version}",
            "operatingSystem": "linux",
            "osImage": "Container-Optimized OS from Google",
        },
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
    }


def _allocatable(capacity: Mapping[str, Any]) -> dict[str, str]:
    """Take off what GKE reserves for itself on a node (its documented steps for cpu and memory)."""
    left = {name: str(value) for name, value in capacity.items()}
    if "cpu" in capacity:
        cpu = amount(capacity["cpu"])
        left["cpu"] = f"{int((cpu - _reserved_cpu(cpu)) * 1000)}m"
    if "memory" in capacity:
        mebibytes = amount(capacity["memory"]) / _MEBIBYTE
        left["memory"] = f"{int((mebibytes - _reserved_mebibytes(mebibytes)) * 1024)}Ki"
    return left


def _reserved_cpu(cores: Decimal) -> Decimal:
    steps = ((Decimal(1), "0.06"), (Decimal(1), "0.01"), (Decimal(2), "0.005"), (cores, "0.0025"))
    return _stepped(cores, steps)


def _reserved_mebibytes(mebibytes: Decimal) -> Decimal:
    gibibyte = Decimal(1024)
    steps = (
        (4 * gibibyte, "0.25"),
        (4 * gibibyte, "0.2"),
        (8 * gibibyte, "0.1"),
        (112 * gibibyte, "0.06"),
        (mebibytes, "0.02"),
    )
    return _stepped(mebibytes, steps) + 100


def _stepped(total: Decimal, steps: Iterable[tuple[Decimal, str]]) -> Decimal:
    reserved, left = Decimal(0), total
    for width, share in steps:
        reserved += min(width, left) * Decimal(share)
        left -= min(width, left)
    return reserved


class PodCollector(Controller):
    """Deletes the Pods of Nodes that are gone, at once: no kubelet is left to end them."""

    def keys(self, event: Event) -> Iterable[Key]:
        """Follow Pods that have a node, and Nodes that go to their Pods."""
        if event.kind.kind == "Pod" and event.type != "DELETED":
            return [key_of(event.object)]
        if event.kind.kind == "Node" and event.type == "DELETED":
            name = event.object["metadata"]["name"]
            return [key_of(pod) for pod in self.objects("Pod") if pod["spec"].get("nodeName") == name]
        return []

    def reconcile(self, key: Key) -> float | None:
        """Delete a Pod whose Node is not there."""
        pod = self.find("Pod", key)
        if pod is None or not pod["spec"].get("nodeName"):
            return None
        if self.store.get(kind_of("Node"), None, pod["spec"]["nodeName"]) is None:
            self.store.delete(kind_of("Pod"), *key)
        return None
