"""What holds an object on its way out: finalizers, what a namespace still has, Pods that do not end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from runbook.clients.kube.objects import Object, Reader, Reference, is_terminating
from runbook.steps.kube.permitted import listed, permitted

_OWNERS: Final = frozenset({"Deployment", "ReplicaSet", "Job"})
_BEFORE_IT: Final = "foregroundDeletion"
"""The finalizer of an object that goes after what it owns."""


def holding(kube: Reader, found: Object) -> str:
    """Say what holds an object.

    Args:
        kube: is asked for what the object itself does not tell.
    """
    finalizers = _finalizers(found)
    told = "; ".join([*_conditions(found), *_pods(kube, found)])
    return f"{Reference.to(found)} is held by {', '.join(finalizers) or '?'}{told and f' ({told})'}"


def _finalizers(found: Object) -> list[str]:
    """Give the finalizers; a Namespace has its own in its spec."""
    of_namespace = found["spec"].get("finalizers", ()) if found["kind"] == "Namespace" else ()
    return [*found["metadata"].get("finalizers", ()), *of_namespace]


def _conditions(found: Object) -> Iterator[str]:
    """Give what the namespace controller says: what remains, with which finalizers, what it cannot list."""
    if found["kind"] == "Namespace":
        for condition in found.get("status", {}).get("conditions", ()):
            if condition.get("status") == "True":
                yield str(condition.get("message", condition["type"]))


def _pods(kube: Reader, found: Object) -> Iterator[str]:
    """Name the Pods that something waits for, each with its node."""
    labels = (found.get("spec", {}).get("selector") or {}).get("matchLabels")
    if found["kind"] not in _OWNERS or _BEFORE_IT not in _finalizers(found) or not labels:
        return
    for pod in listed(lambda: kube.list("v1", "Pod", found["metadata"]["namespace"], labels=labels)):
        if is_terminating(pod):
            node = pod["spec"].get("nodeName", "")
            where = f" on node {node}{_lost(kube, node)}" if node else ""
            yield f"{Reference.to(pod)} does not end{where}"


def _lost(kube: Reader, name: str) -> str:
    """Say what is wrong with a node; empty where nothing is known to be."""
    unread: Object | None = {}
    node = permitted(lambda: kube.get(Reference("v1", "Node", "", name)), otherwise=unread)
    if node is None:
        return ", which is gone"
    for condition in node.get("status", {}).get("conditions", ()):
        if condition["type"] == "Ready" and condition["status"] != "True":
            return f", which is not ready: {condition.get('reason', condition['status'])}"
    return ""
