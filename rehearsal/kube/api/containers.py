"""Which Pod and container a request for logs, ports or commands means."""

from __future__ import annotations

from collections.abc import Mapping

from rehearsal.kube.api.routing import Target
from rehearsal.kube.api.status import bad_request, not_found
from rehearsal.kube.api.store import Object, Store

_DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"


def pod_of(store: Store, target: Target) -> Object:
    """Give the Pod that a request names.

    Raises:
        ApiError: 404.
    """
    name = target.name or ""
    pod = store.get(target.kind, target.namespace, name)
    if pod is None:
        raise not_found(target.kind, name)
    return pod


def container_of(pod: Object, query: Mapping[str, str]) -> str:
    """Give the container that a request names, or the only one.

    Raises:
        ApiError: 400, there is none of that name, or there are several to choose from.
    """
    name = pod["metadata"]["name"]
    initial = [container["name"] for container in pod["spec"].get("initContainers", [])]
    containers = [container["name"] for container in pod["spec"]["containers"]]
    asked = query.get("container") or pod["metadata"].get("annotations", {}).get(_DEFAULT_CONTAINER)
    if asked:
        if asked not in [*containers, *initial]:
            raise bad_request(f"container {asked} is not valid for pod {name}")
        return str(asked)
    if len(containers) > 1 or initial:
        choice = f"[{' '.join(containers)}]"
        if initial:
            choice += f" or one of the init containers: [{' '.join(initial)}]"
            if len(containers) == 1:
                return str(containers[0])
        raise bad_request(f"a container name must be specified for pod {name}, choose one of: {choice}")
    return str(containers[0])


def status_of(pod: Object, container: str) -> Object | None:
    """Give a container's status; None before the node has told of it."""
    status = pod.get("status", {})
    known = [*status.get("containerStatuses", []), *status.get("initContainerStatuses", [])]
    return next((entry for entry in known if entry["name"] == container), None)
