"""Pods that a kubelet ends, or does not take, one after another: their ReplicaSet only makes the next one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from runbook.clients.kube.objects import Object
from runbook.steps.kube.placement import has_ended
from runbook.steps.kube.remedies import KUBECTL
from runbook.steps.kube.trouble import SOON_SECONDS, Diagnosis

_HASH: Final = "pod-template-hash"
_REPEATED: Final = 3
_LATELY: Final = timedelta(minutes=10)


def failing(pods: Sequence[Object], newest: Object) -> Diagnosis | None:
    """Look for Pods of one template that failed lately; None where the newest one starts, or finds no node.

    A node that was started again takes no Pod for chips until its device plugin has registered, so this may
    pass. The diagnosis names no Pod: it goes on while one follows another.

    Args:
        pods: of one Deployment or Job.
        newest: the one that is to stay.
    """
    if not has_ended(newest) and ("startTime" in newest.get("status", {}) or _finds_no_node(newest)):
        return None
    alike = [pod for pod in pods if _template(pod) == _template(newest) and _failure(pod)]
    recent = [pod for pod in alike if _made(newest) - _made(pod) <= _LATELY]
    if len(recent) < _REPEATED:
        return None
    last = max(recent, key=_made)
    name, namespace = last["metadata"]["name"], last["metadata"]["namespace"]
    text = f"{len(recent)} Pods failed one after another, the last of them {name}: {_failure(last)}"
    node = last["spec"].get("nodeName", "")
    remedy = (
        f"see: {KUBECTL} describe node {node}; a node whose chips stay unhealthy is made anew by GKE when it"
        f" is deleted; then take the failed Pods away: {KUBECTL} delete pods --namespace={namespace}"
        " --field-selector=status.phase=Failed"
    )
    return Diagnosis(text, "Failed", SOON_SECONDS, text, remedy)


def _finds_no_node(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions", ())
    return any(item["type"] == "PodScheduled" and item["status"] == "False" for item in conditions)


def _failure(pod: Object) -> str:
    """Say why a kubelet ended a Pod, or did not take it; empty where none did."""
    status = pod.get("status", {})
    if status.get("phase") != "Failed" or not status.get("reason"):
        return ""
    return f"{status['reason']}: {status.get('message', '')}"


def _made(pod: Object) -> datetime:
    return datetime.fromisoformat(pod["metadata"]["creationTimestamp"])


def _template(pod: Object) -> str:
    return str((pod["metadata"].get("labels") or {}).get(_HASH, ""))
