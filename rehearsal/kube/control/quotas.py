"""ResourceQuotas: refuse the Pod that a Namespace has no room for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from rehearsal.kube.api.kinds import kind_of
from rehearsal.kube.api.quantities import amount
from rehearsal.kube.api.store import Object, Store
from rehearsal.kube.control.pods import containers, has_ended, pod_request

_TO_BE_SAID = ("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory")
"""Where a quota has one of these, each container must say how much of it it takes."""


def refused_by_quota(store: Store, pod: Object) -> str:
    """Say which quota does not take a new Pod, as the API server does; empty when all do."""
    namespace = pod["metadata"]["namespace"]
    for quota in store.list(kind_of("ResourceQuota"), namespace):
        name, hard = quota["metadata"]["name"], quota["spec"].get("hard") or {}
        if unsaid := _unsaid(pod, hard):
            return f"failed quota: {name}: must specify {unsaid}"
        pods = [entry for entry in store.list(kind_of("Pod"), namespace) if not has_ended(entry)]
        if excess := _excess(pod, hard, pods):
            return f"exceeded quota: {name}, {excess}"
    return ""


def _unsaid(pod: Object, hard: Mapping[str, object]) -> str:
    """List by resource the containers that say nothing of it."""
    missing = {
        resource: sorted(entry["name"] for entry in containers(pod) if not _says(entry, resource))
        for resource in sorted(set(hard) & set(_TO_BE_SAID))
    }
    return "; ".join(f"{resource} for: {','.join(names)}" for resource, names in missing.items() if names)


def _says(container: Object, resource: str) -> bool:
    resources = container.get("resources") or {}
    limits, name = resources.get("limits") or {}, resource.rpartition(".")[2]
    if resource.startswith("limits."):
        return name in limits
    return name in (resources.get("requests") or {}) or name in limits  # a limit alone is a request too


def _excess(pod: Object, hard: Mapping[str, object], pods: Sequence[Object]) -> str:
    """Write what is asked for, used and limited, of all that would be too much."""
    wanted = {resource: usage(pod, resource) for resource in sorted(hard)}
    used = {
        resource: sum((usage(entry, resource) for entry in pods), Decimal(0))
        for resource, quantity in wanted.items()
        if quantity
    }
    over = [resource for resource in used if used[resource] + wanted[resource] > amount(str(hard[resource]))]
    if not over:
        return ""
    requested = ",".join(f"{resource}={wanted[resource]:f}" for resource in over)
    taken = ",".join(f"{resource}={used[resource]:f}" for resource in over)
    limited = ",".join(f"{resource}={hard[resource]}" for resource in over)
    return f"requested: {requested}, used: {taken}, limited: {limited}"


def usage(pod: Object, resource: str) -> Decimal:
    """Tell how much of a quota's resource a Pod takes: `pods`, `cpu`, `requests.google.com/tpu`..."""
    if resource in ("pods", "count/pods"):
        return Decimal(1)
    if resource.startswith("limits."):
        limits = [(entry.get("resources") or {}).get("limits") or {} for entry in pod["spec"]["containers"]]
        return sum((amount(entry.get(resource.removeprefix("limits."), 0)) for entry in limits), Decimal(0))
    return pod_request(pod, resource.removeprefix("requests."))
