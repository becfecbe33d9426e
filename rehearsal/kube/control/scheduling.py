"""The scheduler's filters: why a node will not take a Pod."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from rehearsal.kube.api.quantities import amount
from rehearsal.kube.api.store import Object
from rehearsal.kube.control.conditions import is_true
from rehearsal.kube.control.pods import has_ended, pod_request, requested_resources
from rehearsal.kube.control.selectors import contains, requirements_match

_UNSCHEDULABLE = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
NO_VICTIMS = "No preemption victims found for incoming pod"
NOT_HELPFUL = "Preemption is not helpful for scheduling"


def rejections(pod: Object, node: Object, pods: Sequence[Object]) -> list[str]:
    """Say why a node will not take a Pod: the reasons of the first filter that refuses, if any does.

    Args:
        pods: all Pods of the cluster.
    """
    return _unschedulable(pod, node) or _taints(pod, node) or _affinity(pod, node) or _fit(pod, node, pods)


def _unschedulable(pod: Object, node: Object) -> list[str]:
    if node["spec"].get("unschedulable") and not tolerates(pod, _UNSCHEDULABLE):
        return ["node(s) were unschedulable"]
    return []


def _taints(pod: Object, node: Object) -> list[str]:
    for taint in node["spec"].get("taints") or []:
        if taint["effect"] in ("NoSchedule", "NoExecute") and not tolerates(pod, taint):
            return [f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"]
    if not is_true(node["status"].get("conditions"), "Ready"):
        return ["node(s) had untolerated taint {node.kubernetes.io/not-ready: }"]
    return []


def tolerates(pod: Object, taint: Object) -> bool:
    """Tell whether any toleration of the Pod matches a taint."""
    return any(_matches(entry, taint) for entry in pod["spec"].get("tolerations") or [])


def _matches(toleration: Object, taint: Object) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("operator") == "Exists":
        return not toleration.get("key") or bool(toleration["key"] == taint["key"])
    same_key = toleration.get("key") == taint["key"]
    return same_key and (toleration.get("value") or "") == (taint.get("value") or "")


def _affinity(pod: Object, node: Object) -> list[str]:
    labels = node["metadata"].get("labels") or {}
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    chosen = contains(labels, pod["spec"].get("nodeSelector"))
    if chosen and (required is None or any(_term(entry, node) for entry in required["nodeSelectorTerms"])):
        return []
    return ["node(s) didn't match Pod's node affinity/selector"]


def _term(term: Object, node: Object) -> bool:
    fields = {"metadata.name": node["metadata"]["name"]}
    return requirements_match(term.get("matchExpressions"), node["metadata"].get("labels") or {}) and (
        requirements_match(term.get("matchFields"), fields)
    )


def _fit(pod: Object, node: Object, pods: Iterable[Object]) -> list[str]:
    resident = [
        entry
        for entry in pods
        if entry["spec"].get("nodeName") == node["metadata"]["name"] and not has_ended(entry)
    ]
    allocatable = node["status"]["allocatable"]
    if len(resident) >= int(allocatable.get("pods", 110)):
        return ["Too many pods"]
    return [
        f"Insufficient {resource}"
        for resource in sorted(requested_resources(pod))
        if pod_request(pod, resource) > _free(resource, allocatable, resident)
    ]


def may_fit_an_empty_node(pod: Object, node: Object) -> bool:
    """Tell whether the node would have room if nothing ran there, so that preemption could help."""
    allocatable = node["status"]["allocatable"]
    return all(
        pod_request(pod, resource) <= amount(allocatable.get(resource, 0))
        for resource in requested_resources(pod)
    )


def _free(resource: str, allocatable: Object, resident: list[Object]) -> Decimal:
    taken = sum((pod_request(entry, resource) for entry in resident), Decimal(0))
    return amount(allocatable.get(resource, 0)) - taken
