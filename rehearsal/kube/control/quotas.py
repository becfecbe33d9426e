"""ResourceQuotas: refuse the Pod that a Namespace has no room for."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from rehearsal.kube.api.kinds import kind_of
from rehearsal.kube.api.quantities import amount
from rehearsal.kube.api.store import Object, Store
from rehearsal.kube.control.pods import has_ended, pod_request


def exceeded_quota(store: Store, pod: Object) -> str:
    """Say which quota a new Pod would exceed, as the API server does; empty when none."""
    namespace = pod["metadata"]["namespace"]
    quotas = store.list(kind_of("ResourceQuota"), namespace)
    pods = (
        [entry for entry in store.list(kind_of("Pod"), namespace) if not has_ended(entry)] if quotas else []
    )
    return next((text for quota in quotas for text in _excesses(quota, pod, pods)), "")


def _excesses(quota: Object, pod: Object, pods: list[Object]) -> Iterator[str]:
    for resource, hard in (quota["spec"].get("hard") or {}).items():
        requested = usage(pod, resource)
        used = sum((usage(entry, resource) for entry in pods), Decimal(0))
        if requested and used + requested > amount(hard):
            yield (
                f"exceeded quota: {quota['metadata']['name']}, requested: {resource}={requested:f},"
                f" used: {resource}={used:f}, limited: {resource}={hard}"
            )


def usage(pod: Object, resource: str) -> Decimal:
    """Tell how much of a quota's resource a Pod takes: `pods`, `cpu`, `requests.google.com/tpu`..."""
    if resource in ("pods", "count/pods"):
        return Decimal(1)
    return pod_request(pod, resource.removeprefix("requests."))
