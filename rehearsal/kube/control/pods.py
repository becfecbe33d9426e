"""What controllers ask about a Pod."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from rehearsal.kube.api.quantities import amount
from rehearsal.kube.api.store import Object
from rehearsal.kube.control.conditions import condition, is_true

TERMINAL = ("Succeeded", "Failed")


def phase(pod: Object) -> str:
    """Give the Pod's phase; a Pod is Pending from its creation."""
    found: str = (pod.get("status") or {}).get("phase", "Pending")
    return found


def has_ended(pod: Object) -> bool:
    """Tell whether all containers of the Pod ended for good."""
    return phase(pod) in TERMINAL


def is_terminating(pod: Object) -> bool:
    """Tell whether the Pod is being deleted."""
    return "deletionTimestamp" in pod["metadata"]


def is_active(pod: Object) -> bool:
    """Tell whether the Pod counts as a replica: neither ended nor being deleted."""
    return not has_ended(pod) and not is_terminating(pod)


def is_ready(pod: Object) -> bool:
    """Tell whether the Pod's condition Ready is True."""
    return is_true((pod.get("status") or {}).get("conditions"), "Ready")


def ready_seconds(pod: Object) -> float:
    """Tell for how long the Pod has been ready; negative when it is not."""
    ready = condition((pod.get("status") or {}).get("conditions"), "Ready")
    if ready is None or ready["status"] != "True":
        return -1.0
    return seconds_since(ready["lastTransitionTime"])


def seconds_since(time: str) -> float:
    """Give the age of a timestamp of the API, in seconds."""
    return (datetime.now(UTC) - datetime.fromisoformat(time)).total_seconds()


def is_sidecar(container: Object) -> bool:
    """Tell whether an init container stays for the Pod's life (restartPolicy Always)."""
    return container.get("restartPolicy") == "Always"


def containers(pod: Object) -> Iterator[Object]:
    """Give the specs of all containers, init containers first."""
    yield from pod["spec"].get("initContainers") or []
    yield from pod["spec"]["containers"]


def request(container: Object, resource: str) -> Decimal:
    """Tell how much of a resource a container asks for; a limit alone is a request too."""
    resources = container.get("resources") or {}
    requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
    return amount(requests.get(resource, limits.get(resource, 0)))


def pod_request(pod: Object, resource: str) -> Decimal:
    """Tell how much of a resource a Pod takes from its node.

    Sidecars and containers add up; other init containers run one after another, each beside the sidecars
    started before it.
    """
    sidecars, peak = Decimal(0), Decimal(0)
    for container in pod["spec"].get("initContainers") or []:
        if is_sidecar(container):
            sidecars += request(container, resource)
        else:
            peak = max(peak, sidecars + request(container, resource))
    running = sidecars + sum((request(entry, resource) for entry in pod["spec"]["containers"]), Decimal(0))
    return max(peak, running)


def requested_resources(pod: Object) -> set[str]:
    """Name the resources that any container of the Pod asks for."""
    named: set[str] = set()
    for container in containers(pod):
        resources = container.get("resources") or {}
        named.update(resources.get("requests") or {}, resources.get("limits") or {})
    return named


def claim_names(pod: Object) -> list[str]:
    """Name the PersistentVolumeClaims that the Pod mounts."""
    volumes = pod["spec"].get("volumes") or []
    return [
        entry["persistentVolumeClaim"]["claimName"] for entry in volumes if "persistentVolumeClaim" in entry
    ]
