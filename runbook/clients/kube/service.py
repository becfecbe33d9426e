"""The Pods behind a Service."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.clients.kube.client import KubeClient
from runbook.clients.kube.objects import Object, Reference
from runbook.engine.errors import FailedError, PassingError


@dataclass(frozen=True)
class Target:
    """Where a connection goes.

    Args:
        pod: a ready Pod's name.
        port: of the Pod.
    """

    namespace: str
    pod: str
    port: int


def find_targets(client: KubeClient, namespace: str, service: str, port: int) -> list[Target]:
    """List the ready Pods behind a Service, at least one.

    Raises:
        FailedError: the Service selects no Pods.
        PassingError: there is no Service, or none of its Pods is ready.
    """
    found = client.get(Reference("v1", "Service", namespace, service))
    if found is None:
        raise PassingError(f"there is no service/{service}")
    selector = found["spec"].get("selector")
    if not selector:  # an empty one would list every Pod of the namespace
        raise FailedError(f"service/{service} selects no Pods")
    pods = client.list("v1", "Pod", namespace, labels=selector)
    targets = [
        Target(namespace, pod["metadata"]["name"], _pod_port(found, pod, port))
        for pod in pods
        if is_ready(pod)
    ]
    if not targets:
        raise PassingError(f"no Pod behind service/{service} is ready")
    return targets


def is_ready(pod: Object) -> bool:
    """Tell whether a Pod takes connections."""
    conditions = pod.get("status", {}).get("conditions", ())
    ready = any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


def _pod_port(service: Object, pod: Object, port: int) -> int:
    for item in service["spec"]["ports"]:
        if item["port"] == port:
            wanted = item.get("targetPort", port)
            if isinstance(wanted, int):
                return wanted
            for container in pod["spec"]["containers"]:
                for declared in container.get("ports", ()):
                    if declared.get("name") == wanted:
                        return int(declared["containerPort"])
    return port
