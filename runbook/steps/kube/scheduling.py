"""Why a Pod is on no node, and whether one may still come for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from runbook.clients.kube.objects import Object, Reader
from runbook.steps.kube.leaving import overdue
from runbook.steps.kube.permitted import permitted
from runbook.steps.kube.placement import (
    allocatable,
    chips_of,
    free,
    has_ended,
    holders,
    matches,
    on,
    tpu_nodes,
    untolerated,
    wanted_labels,
)
from runbook.steps.kube.remedies import KUBECTL
from runbook.steps.kube.supply import Growth, Supply
from runbook.steps.kube.trouble import SOON_SECONDS, Diagnosis, latest

_AUTOSCALER: Final = frozenset({"NotTriggerScaleUp", "TriggeredScaleUp", "FailedScaleUp"})
_POOL: Final = "cloud.google.com/gke-nodepool"
_REMEDY: Final = f"see: {KUBECTL} describe nodes; node labels, the taint, or chips that another Pod holds"
_NODE_SECONDS: Final = 900.0
"""A TPU node that is made anew is there, with its chips, after five to ten minutes."""
_PASSING_TAINTS: Final = (
    "node.kubernetes.io/",
    "node.cloudprovider.kubernetes.io/",
    "node.cilium.io/",
    "cloud.google.com/impending-node-termination",
    "startup-taint.cluster-autoscaler.kubernetes.io/",
    "ToBeDeletedByClusterAutoscaler",
    "DeletionCandidateOfClusterAutoscaler",
)
"""Taints of nodes that come or go: they are taken away, or the node is, without anybody's doing."""


@dataclass(frozen=True)
class _Reason:
    """What keeps a Pod from every node that there is.

    Args:
        text: the same in words, with names.
        lasting: it stays so for as long as nobody does anything and no other node comes.
        symptom: the known symptom that it is; empty: none.
        remedy: what the operator can do, where it is no known symptom.
    """

    text: str
    lasting: bool = False
    symptom: str = ""
    remedy: str = _REMEDY


def unscheduled(
    kube: Reader,
    pod: Object,
    events: Sequence[Object],
    *,
    supply: Supply,
    leaving: Sequence[Object] = (),
    keeps_old: bool = False,
) -> Diagnosis | None:
    """Look at a Pod that fits no node; None where it has one, or was not looked at yet.

    Args:
        kube: the cluster.
        pod: the Pod.
        events: of the Pod.
        supply: whether nodes are made for it: then it is waited for, unless the autoscaler refuses or a node
            that it could use is idle.
        leaving: Pods that are about to make room.
        keeps_old: whether the rollout keeps old Pods until the new ones are ready.
    """
    said = _said(pod)
    if said is None:
        return None
    name = pod["metadata"]["name"]
    if leaving:
        return overdue(leaving) or Diagnosis(f"Pod {name} (an old Pod is ending) {said}")
    if _is_coming(events):
        return Diagnosis(f"Pod {name} (a node is being made) {said}")
    seen = permitted(lambda: kube.list("v1", "Node", ""), otherwise=None)
    pods = permitted(lambda: kube.list("v1", "Pod", ""), otherwise=None)
    refusal = _refusal(events)
    if not refusal and supply.growth is Growth.EXPECTED and not _has_idle_node(pod, seen or (), pods):
        return Diagnosis(f"Pod {name} (waiting for a node) {said}")
    if seen is not None and (missing := _missing(seen, supply)):
        return _recreated(f"Pod {name} {said}; {missing}", supply.pool)
    reason = _reason(pod, seen or (), pods, pool=supply.pool, keeps_old=keeps_old)
    final = reason.lasting and supply.growth is Growth.NONE
    text = "; ".join(filter(None, [f"Pod {name} {said}", reason.text, refusal]))
    patience = 0 if final else SOON_SECONDS
    return Diagnosis(text, "Unschedulable", patience, text, reason.remedy, symptom=reason.symptom)


def _recreated(text: str, pool: str) -> Diagnosis:
    look = f"see: {KUBECTL} get nodes --selector={_POOL}={pool}; and `inv step 2.4 --check`"
    return Diagnosis(text, "node missing", _NODE_SECONDS, text, look)


def _said(pod: Object) -> str | None:
    """Give what the scheduler says of a Pod that it cannot place; None where it says nothing."""
    for condition in pod.get("status", {}).get("conditions", ()):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return f"{condition.get('reason')}: {condition.get('message')}"
    return None


def _is_coming(events: Sequence[Object]) -> bool:
    told = [event for event in events if event.get("reason") in _AUTOSCALER]
    return bool(told) and latest(told)["reason"] == "TriggeredScaleUp"


def _refusal(events: Sequence[Object]) -> str:
    """Give why the autoscaler makes no node; nothing where it tries again after a failure."""
    told = [event for event in events if event.get("reason") in _AUTOSCALER]
    if not told or latest(told)["reason"] != "NotTriggerScaleUp":
        return ""
    message = str(latest(told).get("message", ""))
    return "" if "in backoff" in message else message


def _missing(nodes: Sequence[Object], supply: Supply) -> str:
    """Say how many nodes a pool of fixed size lacks; empty where it is whole, or not known."""
    there = sum((node["metadata"].get("labels") or {}).get(_POOL) == supply.pool for node in nodes)
    if there >= supply.nodes:
        return ""
    return (
        f"node pool {supply.pool} has {there} of its {supply.nodes} nodes: GKE makes one anew to upgrade or"
        " repair it"
    )


def _has_idle_node(pod: Object, nodes: Sequence[Object], pods: Sequence[Object] | None) -> bool:
    """Tell whether a node that the Pod selects is ready; where it asks for chips, with all of them free.

    Args:
        pods: of all namespaces; None: the login may not list them, so no node is known to be idle.
    """
    selected = [node for node in nodes if matches(pod, node) and _is_open(node)]
    if not chips_of(pod):
        return bool(selected)
    if pods is None:
        return False
    held = {item["spec"].get("nodeName") for item in pods if chips_of(item) and not has_ended(item)}
    return any(node["metadata"]["name"] not in held for node in selected)


def _is_open(node: Object) -> bool:
    """Leave out a node that is drained: it goes, and another comes."""
    conditions = node["status"].get("conditions", ())
    return not node["spec"].get("unschedulable") and any(
        item["type"] == "Ready" and item["status"] == "True" for item in conditions
    )


def _reason(
    pod: Object, nodes: Sequence[Object], pods: Sequence[Object] | None, *, pool: str, keeps_old: bool
) -> _Reason:
    if not nodes:
        return _Reason("")
    meant = [node for node in nodes if matches(pod, node)]
    if not meant:
        return _nowhere(pod, nodes, pool)
    ready = [node for node in meant if _is_open(node)]
    if not ready:
        return _Reason(f"{_names(meant)} is not ready", remedy=f"see: {KUBECTL} describe nodes")
    open_to_it = [node for node in ready if not untolerated(pod, node)]
    if not open_to_it:
        return _kept_away(pod, ready)
    if pods is None:
        return _Reason("")
    full = _full(pod, open_to_it, pods, keeps_old=keeps_old)
    return full if len(ready) == len(meant) else replace(full, lasting=False)


def _nowhere(pod: Object, nodes: Sequence[Object], pool: str) -> _Reason:
    """All nodes of a pool have the same labels: one that is there tells what the others will be."""
    known = any(pool and (node["metadata"].get("labels") or {}).get(_POOL) == pool for node in nodes)
    text = f"it wants a node with {wanted_labels(pod)}; {tpu_nodes(nodes)}"
    return _Reason(text, known, "s18-no-node-matches")


def _kept_away(pod: Object, nodes: Sequence[Object]) -> _Reason:
    """Name the taints; a node with one that will go is one that the Pod may get."""
    keeping = [(node, untolerated(pod, node)) for node in nodes]
    lasting = all(
        any(not taint["key"].startswith(_PASSING_TAINTS) for taint in taints) for _, taints in keeping
    )
    node, taints = keeping[0]
    names = ", ".join(f"{taint['key']}={taint.get('value', '')}:{taint['effect']}" for taint in taints)
    name = node["metadata"]["name"]
    text = f"it does not tolerate the taint {names} of {_names(nodes)}"
    remedy = (
        f"take the taint away: {KUBECTL} taint nodes {name} {taints[0]['key']}-;"
        " or give the Pods a toleration for it in manifests/"
    )
    return _Reason(text, lasting, remedy=remedy)


def _full(pod: Object, nodes: Sequence[Object], pods: Sequence[Object], *, keeps_old: bool) -> _Reason:
    """Tell who holds the chips, and whether they will be free again."""
    wanted = chips_of(pod)
    if not wanted or any(free(pods, node) >= wanted for node in nodes):
        return _Reason("")
    text = f"it wants {wanted} chips; " + "; ".join(holders(pods, node) for node in nodes)
    kept = [[item for item in on(pods, node) if _stays(item, pod, keeps_old=keeps_old)] for node in nodes]
    offered = [allocatable(node) for node in nodes]
    lasting = all(
        chips and chips - sum(map(chips_of, held)) < wanted for chips, held in zip(offered, kept, strict=True)
    )
    if any(_app(item) == _app(pod) for held in kept for item in held):
        return _Reason(f"{text}, a Pod of the same Deployment", lasting, remedy=_OWN)
    return _Reason(text, lasting and not pod["status"].get("nominatedNodeName"), "s16-chips-held")


_OWN: Final = (
    "raise node_pool.nodes to server.replicas or lower server.replicas; where the rollout is to replace a"
    " Pod, its strategy must be maxSurge 0 and maxUnavailable 1, as `inv deploy` makes it"
)


def _stays(holder: Object, pod: Object, *, keeps_old: bool) -> bool:
    """Tell whether a Pod holds its chips until somebody ends it: a Job's ends, as does a replaced one."""
    owners = {owner["kind"] for owner in holder["metadata"].get("ownerReferences", ())}
    if "Job" in owners:
        return False
    return keeps_old or _app(holder) != _app(pod) or _template(holder) == _template(pod)


def _app(pod: Object) -> tuple[str, str]:
    return pod["metadata"]["namespace"], (pod["metadata"].get("labels") or {}).get("app", "")


def _template(pod: Object) -> str:
    return str((pod["metadata"].get("labels") or {}).get("pod-template-hash", ""))


def _names(nodes: Sequence[Object]) -> str:
    return ", ".join(node["metadata"]["name"] for node in nodes)
