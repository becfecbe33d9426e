"""What keeps a Pod from a node, computed from the Pod and the Nodes: the scheduler's message counts only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from runbook.clients.kube.objects import Object, is_terminating

CHIPS: Final = "google.com/tpu"
_LABELS: Final = ("cloud.google.com/gke-tpu-accelerator", "cloud.google.com/gke-tpu-topology")
_KEEPING_AWAY: Final = frozenset({"NoSchedule", "NoExecute"})
_ENDED: Final = frozenset({"Succeeded", "Failed"})


def wanted_labels(pod: Object) -> str:
    """Write a Pod's node selector."""
    selector = pod["spec"].get("nodeSelector") or {}
    return ", ".join(f"{name}={value}" for name, value in selector.items())


def matches(pod: Object, node: Object) -> bool:
    """Tell whether a Pod's selector and affinity mean a node."""
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


def untolerated(pod: Object, node: Object) -> list[Object]:
    """Give the taints of a node that keep a Pod away."""
    tolerations = pod["spec"].get("tolerations") or ()
    return [
        taint
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


def chips_of(pod: Object) -> int:
    """Count the chips that a Pod asks for."""
    return sum(_requested(container) for container in pod["spec"]["containers"])


def _requested(container: dict[str, Any]) -> int:
    resources = container.get("resources") or {}
    return int((resources.get("requests") or resources.get("limits") or {}).get(CHIPS, 0))


def free(pods: Sequence[Object], node: Object) -> int:
    """Count the chips of a node that nobody holds; who is on the way out counts as gone."""
    return allocatable(node) - sum(map(chips_of, on(pods, node)))


def allocatable(node: Object) -> int:
    """Count the chips that a node offers."""
    return int(node["status"].get("allocatable", {}).get(CHIPS, 0))


def has_ended(pod: Object) -> bool:
    """Tell whether a Pod holds nothing any more."""
    return pod.get("status", {}).get("phase") in _ENDED


def on(pods: Sequence[Object], node: Object) -> list[Object]:
    """List the Pods that hold chips of a node."""
    return [
        pod
        for pod in pods
        if pod["spec"].get("nodeName") == node["metadata"]["name"]
        and not has_ended(pod)
        and not is_terminating(pod)
        and chips_of(pod)
    ]


def holders(pods: Sequence[Object], node: Object) -> str:
    """Say who holds the chips of a node."""
    name, chips = node["metadata"]["name"], allocatable(node)
    if not chips:
        return f"{name} offers none: its device plugin has not registered yet (it takes about 30 s)"
    held = ", ".join(
        f"{pod['metadata']['namespace']}/{pod['metadata']['name']} holds {chips_of(pod)}"
        for pod in on(pods, node)
    )
    return f"{name} has {chips}, of which {held or 'none is held'}"


def tpu_nodes(nodes: Sequence[Object]) -> str:
    """Say what the labels of the TPU nodes are."""
    found = [
        f"{node['metadata']['name']} has " + ", ".join(f"{label}={labels[label]}" for label in _LABELS)
        for node in nodes
        if (labels := node["metadata"].get("labels") or {}).keys() >= set(_LABELS)
    ]
    return "; ".join(found) or "the cluster has no TPU node"
