"""The finalizers that keep a claim while a Pod uses it, and a volume while a claim is bound to it."""

from __future__ import annotations

from collections.abc import Iterable

from rehearsal.kube.api.kinds import kind_of
from rehearsal.kube.api.store import Event
from rehearsal.kube.control.admission import PV_PROTECTION, PVC_PROTECTION
from rehearsal.kube.control.control_loop import Controller, Key, key_of, named
from rehearsal.kube.control.finalizers import release
from rehearsal.kube.control.pods import claim_names, has_ended


class ClaimProtection(Controller):
    """Lets a claim go that is being deleted, once no Pod that has not ended mounts it."""

    def keys(self, event: Event) -> Iterable[Key]:
        """Follow claims, and Pods to the claims that they mount."""
        if event.kind.kind == "Pod":
            namespace = event.object["metadata"]["namespace"]
            return [(namespace, name) for name in claim_names(event.object)]
        return named(event, "PersistentVolumeClaim")

    def reconcile(self, key: Key) -> float | None:
        """Remove the finalizer when it may go."""
        claim = self.find("PersistentVolumeClaim", key)
        if claim is None or "deletionTimestamp" not in claim["metadata"]:
            return None
        # A Pod without a node does not hold it: no kubelet would start one on a claim that is being deleted.
        pods = [pod for pod in self.objects("Pod", key[0]) if pod["spec"].get("nodeName")]
        if not any(key[1] in claim_names(pod) and not has_ended(pod) for pod in pods):
            release(self.store, kind_of("PersistentVolumeClaim"), *key, PVC_PROTECTION)
        return None


class VolumeProtection(Controller):
    """Lets a volume go that is being deleted, once it is not Bound."""

    def keys(self, event: Event) -> Iterable[Key]:
        """Follow volumes."""
        return [key_of(event.object)] if event.kind.kind == "PersistentVolume" else []

    def reconcile(self, key: Key) -> float | None:
        """Remove the finalizer when it may go."""
        volume = self.find("PersistentVolume", key)
        if volume is None or "deletionTimestamp" not in volume["metadata"]:
            return None
        if (volume.get("status") or {}).get("phase") != "Bound":
            release(self.store, kind_of("PersistentVolume"), *key, PV_PROTECTION)
        return None
