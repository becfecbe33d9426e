"""Why no node takes a Pod, computed from Pods and Nodes: the scheduler's message counts, it does not name.

The three reasons exclude one another: no node is meant (18); those meant keep the Pod away (17); those that
would take it have no chips left (16).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from runbook.clients.kube.objects import Object, is_terminating
from runbook.doctor.diagnosis.evidence import Evidence, Source
from runbook.doctor.diagnosis.pods import is_unscheduled, name_of
from runbook.doctor.diagnosis.snapshot import Snapshot

CHIPS: Final = "google.com/tpu"
_LABELS: Final = ("cloud.google.com/gke-tpu-accelerator", "cloud.google.com/gke-tpu-topology")
_KEEPING_AWAY: Final = frozenset({"NoSchedule", "NoExecute"})
_ENDED: Final = frozenset({"Succeeded", "Failed"})


def chips_held(seen: Snapshot) -> Iterator[Evidence]:
    """Find Pods for which every node that would take them lacks chips, and say who holds these."""
    for pod, meant in _waiting(seen):
        wanted = _chips_of(pod)
        open_to_it = [node for node in meant if not _untolerated(pod, node)]
        full = all(_free(seen, node) < wanted for node in open_to_it)
        if wanted and open_to_it and full and not _may_get_a_node(seen, pod):
            for node in open_to_it:
                yield _state(pod, f"wants {wanted} chips; {_holders(seen, node)}")


def taint_not_tolerated(seen: Snapshot) -> Iterator[Evidence]:
    """Find Pods that are meant for TPU nodes and do not tolerate their taint."""
    for pod, meant in _waiting(seen):
        if meant and all(CHIPS in _untolerated(pod, node) for node in meant):
            names = ", ".join(node["metadata"]["name"] for node in meant)
            asks = f"asks for {_chips_of(pod)} chips" if _chips_of(pod) else "asks for no chip"
            yield _state(pod, f"{asks} and does not tolerate the taint {CHIPS} of {names}")


def no_node_matches(seen: Snapshot) -> Iterator[Evidence]:
    """Find Pods that no node is meant for, and say what the TPU nodes are."""
    for pod, meant in _waiting(seen):
        if not meant and not _may_get_a_node(seen, pod):
            selector = pod["spec"].get("nodeSelector") or {}
            wanted = ", ".join(f"{name}={value}" for name, value in selector.items())
            yield _state(pod, f"wants a node with {wanted}; {_tpu_nodes(seen.nodes)}")


def _waiting(seen: Snapshot) -> Iterator[tuple[Object, list[Object]]]:
    """Give each Pod that the scheduler cannot place, with the nodes that its selector means."""
    for pod in seen.troubled_pods:
        if is_unscheduled(pod) and "PersistentVolumeClaim" not in _message(pod):
            yield pod, [node for node in seen.nodes if _matches(pod, node)]


def _may_get_a_node(seen: Snapshot, pod: Object) -> bool:
    """Tell whether GKE makes nodes for Pods that wait, and has not said that it makes none for this one."""
    cluster, pool = seen.cluster or {}, seen.node_pool or {}
    makes_nodes = (
        cluster.get("autopilot", {}).get("enabled")
        or cluster.get("autoscaling", {}).get("enableNodeAutoprovisioning")
        or pool.get("autoscaling", {}).get("enabled")
    )
    refused = any(
        event.get("reason") == "NotTriggerScaleUp"
        and event.get("involvedObject", {}).get("uid") == pod["metadata"]["uid"]
        for event in seen.events
    )
    return bool(makes_nodes) and not refused


def _message(pod: Object) -> str:
    conditions = pod["status"].get("conditions", ())
    return next((str(item.get("message")) for item in conditions if item["type"] == "PodScheduled"), "")


def _state(pod: Object, text: str) -> Evidence:
    return Evidence(Source.STATE, name_of(pod), text)


def _matches(pod: Object, node: Object) -> bool:
    labels = node["metadata"].get("labels") or {}
    selector = pod["spec"].get("nodeSelector") or {}
    required = ((pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    )
    return selector.items() <= labels.items() and (
        required is None or any(_term(term, labels) for term in required["nodeSelectorTerms"])
    )


def _term(term: Object, labels: dict[str, str]) -> bool:
    return all(_requirement(item, labels) for item in term.get("matchExpressions") or ())


def _requirement(item: Object, labels: dict[str, str]) -> bool:
    value: str | None = labels.get(item["key"])
    values: list[str] = item.get("values") or []
    operators: dict[str, Callable[[], bool]] = {
        "In": lambda: value in values,
        "NotIn": lambda: value not in values,
        "Exists": lambda: value is not None,
        "DoesNotExist": lambda: value is None,
        "Gt": lambda: value is not None and int(value) > int(values[0]),
        "Lt": lambda: value is not None and int(value) < int(values[0]),
    }
    return operators[item["operator"]]()


def _untolerated(pod: Object, node: Object) -> list[str]:
    """Name the taints of a node that keep a Pod away."""
    tolerations = pod["spec"].get("tolerations") or ()
    return [
        taint["key"]
        for taint in node["spec"].get("taints") or ()
        if taint["effect"] in _KEEPING_AWAY and not any(_tolerates(item, taint) for item in tolerations)
    ]


def _tolerates(toleration: Object, taint: Object) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("operator") == "Exists":
        return bool(toleration.get("key", taint["key"]) == taint["key"])
    same_value = toleration.get("value", "") == taint.get("value", "")
    return bool(toleration.get("key") == taint["key"] and same_value)


def _chips_of(pod: Object) -> int:
    return sum(_requested(container) for container in pod["spec"]["containers"])


def _requested(container: dict[str, Any]) -> int:
    resources = container.get("resources") or {}
    return int((resources.get("requests") or resources.get("limits") or {}).get(CHIPS, 0))


def _free(seen: Snapshot, node: Object) -> int:
    """Count the chips of a node that nobody holds; who is on the way out counts as gone."""
    return _allocatable(node) - sum(map(_chips_of, _on(seen, node)))


def _allocatable(node: Object) -> int:
    return int(node["status"].get("allocatable", {}).get(CHIPS, 0))


def _on(seen: Snapshot, node: Object) -> list[Object]:
    """List the Pods that hold chips of a node."""
    return [
        pod
        for pod in seen.pods
        if pod["spec"].get("nodeName") == node["metadata"]["name"]
        and pod.get("status", {}).get("phase") not in _ENDED
        and not is_terminating(pod)
        and _chips_of(pod)
    ]


def _holders(seen: Snapshot, node: Object) -> str:
    name, chips = node["metadata"]["name"], _allocatable(node)
    if not chips:
        return f"{name} offers none: its device plugin has not registered yet (it takes about 30 s)"
    held = ", ".join(
        f"{pod['metadata']['namespace']}/{pod['metadata']['name']} holds {_chips_of(pod)}"
        for pod in _on(seen, node)
    )
    return f"{name} has {chips}, of which {held or 'none is held'}"


def _tpu_nodes(nodes: Sequence[Object]) -> str:
    """Say what the labels of the TPU nodes are."""
    found = [
        f"{node['metadata']['name']} has " + ", ".join(f"{label}={labels[label]}" for label in _LABELS)
        for node in nodes
        if (labels := node["metadata"].get("labels") or {}).keys() >= set(_LABELS)
    ]
    return "; ".join(found) or "the cluster has no TPU node"
