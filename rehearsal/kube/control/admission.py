"""Admission: what the API server's plugins and webhooks add to new objects, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable

from rehearsal.kube.api.kinds import Kind, kind_of
from rehearsal.kube.api.status import forbidden
from rehearsal.kube.api.store import Object, Store, clone
from rehearsal.kube.control.finalizers import add_finalizer
from rehearsal.kube.control.gcsfuse_webhook import GcsFuseWebhook
from rehearsal.kube.control.pods import requested_resources
from rehearsal.kube.control.quotas import refused_by_quota
from rehearsal.kube.facts import ClusterFacts

PV_PROTECTION = "kubernetes.io/pv-protection"
PVC_PROTECTION = "kubernetes.io/pvc-protection"


class Admission:
    """The admission plugins of one cluster.

    Args:
        facts: for the add-on whose webhook injects sidecars.
    """

    def __init__(self, store: Store, facts: ClusterFacts) -> None:
        self._store = store
        self._webhook = GcsFuseWebhook(store, facts)
        self._plugins: dict[str, Callable[[Object], None]] = {
            "pods": self._admit_pod,
            "persistentvolumes": _protect_volume,
            "persistentvolumeclaims": _protect_claim,
        }

    def __call__(self, kind: Kind, obj: Object, operation: str) -> Object:
        """Complete an object that is about to be written.

        Args:
            operation: CREATE, UPDATE...

        Raises:
            ApiError: 403, the object may not be written.
        """
        new = clone(obj)
        plugin = self._plugins.get(kind.resource)
        if plugin and operation == "CREATE":
            plugin(new)
        return new

    def _admit_pod(self, pod: Object) -> None:
        self._check_service_account(pod)
        _tolerate_extended_resources(pod)
        self._webhook.inject(pod)
        if refusal := refused_by_quota(self._store, pod):
            raise forbidden(kind_of("Pod"), _name(pod), refusal)

    def _check_service_account(self, pod: Object) -> None:
        namespace = pod["metadata"]["namespace"]
        account = pod["spec"].setdefault("serviceAccountName", "default")
        if self._store.get(kind_of("ServiceAccount"), namespace, account) is None:
            reason = (
                f"error looking up service account {namespace}/{account}:"
                f' serviceaccount "{account}" not found'
            )
            raise forbidden(kind_of("Pod"), _name(pod), reason)


def _name(obj: Object) -> str:
    metadata = obj["metadata"]
    return str(metadata.get("name") or metadata.get("generateName", ""))


def _tolerate_extended_resources(pod: Object) -> None:
    """Do as the plugin ExtendedResourceToleration: nodes are tainted by the resource that they offer."""
    tolerations = pod["spec"].setdefault("tolerations", [])
    for resource in sorted(requested_resources(pod)):
        toleration = {"key": resource, "operator": "Exists", "effect": "NoSchedule"}
        if "/" in resource and toleration not in tolerations:
            tolerations.append(toleration)


def _protect_volume(volume: Object) -> None:
    add_finalizer(volume, PV_PROTECTION)


def _protect_claim(claim: Object) -> None:
    add_finalizer(claim, PVC_PROTECTION)
