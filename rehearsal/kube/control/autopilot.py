"""Autopilot's nodes: made for the Pods that find none, with the labels by which those Pods ask for them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rehearsal.kube.api.store import Event, Object, Store
from rehearsal.kube.control.conditions import condition
from rehearsal.kube.control.control_loop import Controller, Key, named
from rehearsal.kube.control.events import EventRecorder
from rehearsal.kube.control.pods import is_active, pod_request
from rehearsal.kube.facts import MADE_FOR_PODS, ClusterFacts

ACCELERATOR, TOPOLOGY = "cloud.google.com/gke-tpu-accelerator", "cloud.google.com/gke-tpu-topology"
ZONE = "topology.kubernetes.io/zone"
CHIPS = "google.com/tpu"
TPU_MACHINES = {("tpu7x", "1x1x1"): ("tpu7x-standard-1t", 1), ("tpu7x", "2x2x1"): ("tpu7x-standard-4t", 4)}
"""Machine type and chips by accelerator and topology of a single host (Cloud TPU, TPU7x in GKE)."""
TPU_CAPACITY = {"cpu": "224", "memory": "986499121Ki"}
CAPACITY = {"cpu": "32", "memory": "131532948Ki"}
MACHINE = "ek-standard-32"


class NodeProvisioning(Controller):
    """Makes a Node for each Pod that none of the present ones will take.

    Args:
        facts: gets the new Nodes; in a Standard cluster nothing is done.
        recorder: of the cluster autoscaler.
        refresh: makes the Node objects what the facts say.
    """

    def __init__(
        self, store: Store, facts: ClusterFacts, recorder: EventRecorder, refresh: Callable[[], None]
    ) -> None:
        super().__init__(store)
        self._facts = facts
        self._recorder = recorder
        self._refresh = refresh

    def keys(self, event: Event) -> Iterable[Key]:
        """Follow Pods."""
        return named(event, "Pod") if self._facts.autopilot and event.type != "DELETED" else []

    def reconcile(self, key: Key) -> float | None:
        """Make a Node where a Pod has found none."""
        pod = self.find("Pod", key)
        if pod is None or not is_active(pod) or not _waits_for_a_node(pod):
            return None
        asked_for = f"{key[0]}/{key[1]}"
        if any(node.get("made_for") == asked_for for node in self._facts.nodes):
            return None
        node = node_for(pod, self._facts)
        if node is None:
            self._recorder.normal(pod, "NotTriggerScaleUp", "pod didn't trigger scale-up")
            return None
        self._facts.nodes.append(node | {"made_for": asked_for})
        self._recorder.normal(pod, "TriggeredScaleUp", f"pod triggered scale-up: {node['node_pool']} 0->1")
        self._refresh()
        return None


def node_for(pod: Object, facts: ClusterFacts) -> dict[str, Any] | None:
    """Choose the machine that a Pod asks for; None where there is none such."""
    selector: Mapping[str, str] = pod["spec"].get("nodeSelector") or {}
    chips = int(pod_request(pod, CHIPS))
    machine = TPU_MACHINES.get((selector.get(ACCELERATOR, ""), selector.get(TOPOLOGY, "")))
    if (chips or ACCELERATOR in selector) and (machine is None or chips > machine[1]):
        return None
    zones = facts.tpu_zones if machine else facts.zones
    zone = selector.get(ZONE, zones[0] if zones else "")
    if zone not in zones:
        return None
    suffix = secrets.token_hex(4)
    capacity = {**TPU_CAPACITY, CHIPS: str(machine[1])} if machine else CAPACITY
    count = {"cloud.google.com/gke-accelerator-count": str(machine[1])} if machine else {}
    return {
        "name": f"gk3-{facts.key.rpartition('/')[2][:20]}-{MADE_FOR_PODS}-{suffix}",
        "node_pool": f"{MADE_FOR_PODS}-{suffix}",
        "zone": zone,
        "machine_type": machine[0] if machine else MACHINE,
        "labels": {**selector, **count, "iam.gke.io/gke-metadata-server-enabled": "true"},
        "taints": [{"key": CHIPS, "value": "present", "effect": "NoSchedule"}] if machine else [],
        "capacity": capacity,
        "workload_metadata": "GKE_METADATA",
    }


def _waits_for_a_node(pod: Object) -> bool:
    """Tell whether the scheduler has looked, and it is not the Pod's claims that are in the way."""
    if pod["spec"].get("nodeName"):
        return False
    found = condition((pod.get("status") or {}).get("conditions"), "PodScheduled")
    message = (found or {}).get("message", "")
    return bool(message) and "persistentvolumeclaim" not in message.lower()
