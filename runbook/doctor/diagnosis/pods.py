"""Pods as the diagnosis sees them: whose they are, and whether they are in trouble."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from runbook.clients.kube.objects import Object, is_terminating
from runbook.config.schema import Variables

SIDECAR: Final = "gke-gcsfuse-sidecar"


def name_of(found: Object) -> str:
    """Name a Pod for the operator."""
    return f"Pod {found['metadata']['name']}"


def of_app(pods: Sequence[Object], namespace: str, app: str) -> list[Object]:
    """Choose the Pods of one app that are not on their way out, oldest first.

    Args:
        app: the value of the label `app`.
    """
    found = [
        pod
        for pod in pods
        if pod["metadata"]["namespace"] == namespace
        and (pod["metadata"].get("labels") or {}).get("app") == app
        and not is_terminating(pod)
    ]
    return sorted(found, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))


def of_environment(pods: Sequence[Object], variables: Variables) -> list[Object]:
    """Choose the server's Pods and the last benchmark's: what earlier benchmarks met is history."""
    namespace = variables.kube.namespace
    benchmarks = of_app(pods, namespace, variables.bench.name)
    return [*of_app(pods, namespace, variables.server.name), *benchmarks[-1:]]


def is_troubled(pod: Object) -> bool:
    """Tell whether a Pod has neither ended well nor takes requests."""
    return pod.get("status", {}).get("phase") != "Succeeded" and not _condition(pod, "Ready")


def is_unscheduled(pod: Object) -> bool:
    """Tell whether the scheduler found no node for a Pod."""
    conditions = pod.get("status", {}).get("conditions", ())
    return any(
        item["type"] == "PodScheduled" and item["status"] == "False" and item.get("reason") == "Unschedulable"
        for item in conditions
    )


def statuses(pod: Object) -> Iterator[Object]:
    """Give the statuses of all containers, init containers first."""
    status = pod.get("status", {})
    yield from status.get("initContainerStatuses", ())
    yield from status.get("containerStatuses", ())


def _condition(pod: Object, kind: str) -> bool:
    conditions = pod.get("status", {}).get("conditions", ())
    return any(item["type"] == kind and item["status"] == "True" for item in conditions)
