"""Why a Pod is on no node, and whether one may still come for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from runbook.clients.kube.client import KubeClient
from runbook.clients.kube.objects import Object
from runbook.steps.kube.trouble import SOON_SECONDS, Diagnosis, latest

_TPU: Final = "google.com/tpu"
_AUTOSCALER: Final = frozenset({"NotTriggerScaleUp", "TriggeredScaleUp"})
_REMEDY: Final = "see: kubectl describe nodes; node labels, the taint, or chips that another Pod holds"


def unscheduled(
    kube: KubeClient, pod: Object, events: Sequence[Object], *, grows: bool, ending: bool
) -> Diagnosis | None:
    """Look at a Pod that fits no node; None where it has one, or was not looked at yet.

    Args:
        kube: the cluster.
        pod: the Pod.
        events: of the Pod.
        grows: whether nodes are made for it: then it is waited for, unless the autoscaler refuses or a node
            that it could use is idle.
        ending: whether another Pod is about to make room.
    """
    for condition in pod.get("status", {}).get("conditions", ()):
        if condition["type"] != "PodScheduled" or condition["status"] != "False":
            continue
        text = f"Pod {pod['metadata']['name']} {condition.get('reason')}: {condition.get('message')}"
        if ending:
            return Diagnosis(f"{text} (an old Pod is ending)")
        refusal = _refusal(events)
        if refusal:
            text = f"{text}; {refusal}"
        elif grows and not _idle_node(kube, pod):
            return Diagnosis(f"{text} (waiting for a node)")
        return Diagnosis(text, "Unschedulable", SOON_SECONDS, text, _REMEDY)
    return None


def _refusal(events: Sequence[Object]) -> str:
    """Give why the autoscaler makes no node; nothing where it makes one, or tries again after a failure."""
    told = [event for event in events if event.get("reason") in _AUTOSCALER]
    if not told or latest(told)["reason"] == "TriggeredScaleUp":
        return ""
    message = str(latest(told).get("message", ""))
    return "" if "in backoff" in message else message


def _idle_node(kube: KubeClient, pod: Object) -> bool:
    """Tell whether a node that the Pod selects is ready; where it asks for chips, with all of them free."""
    selected = kube.list("v1", "Node", "", labels=pod["spec"].get("nodeSelector", {}))
    nodes = [node for node in selected if _is_open(node)]
    if not nodes or not _asks(pod):
        return bool(nodes)
    pods = kube.list("v1", "Pod", "")
    held = {item["spec"].get("nodeName") for item in pods if _asks(item) and not _ended(item)}
    return any(node["metadata"]["name"] not in held for node in nodes)


def _is_open(node: Object) -> bool:
    """Leave out a node that is drained: it goes, and another comes."""
    conditions = node["status"].get("conditions", ())
    return not node["spec"].get("unschedulable") and any(
        item["type"] == "Ready" and item["status"] == "True" for item in conditions
    )


def _asks(pod: Object) -> bool:
    containers = pod["spec"]["containers"]
    return any(_chips(item.get("resources", {}).get("requests", {})) for item in containers)


def _chips(resources: Object) -> int:
    return int(resources.get(_TPU, 0))


def _ended(pod: Object) -> bool:
    return pod.get("status", {}).get("phase") in {"Succeeded", "Failed"}
