"""PersistentVolumes and their claims: who is bound to whom."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from rehearsal.kube.api.kinds import kind_of
from rehearsal.kube.api.quantities import amount
from rehearsal.kube.api.store import Event, Object, Store
from rehearsal.kube.control.control_loop import Controller, Key, key_of
from rehearsal.kube.control.events import EventRecorder
from rehearsal.kube.control.selectors import label_selector_matches

_BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
_BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
_CLAIM_REFERENCE = {"kind": "PersistentVolumeClaim", "apiVersion": "v1"}


class PersistentVolumes(Controller):
    """Decides the phase of each volume: Available, Bound, Released or Failed."""

    def keys(self, event: Event) -> Iterable[Key]:
        """Follow volumes, and claims to the volume that they name or that names them."""
        if event.kind.kind == "PersistentVolume":
            return [key_of(event.object)]
        if event.kind.kind == "PersistentVolumeClaim":
            claim = key_of(event.object)
            named = {event.object["spec"].get("volumeName") or ""}
            pointing = {
                volume["metadata"]["name"]
                for volume in self.objects("PersistentVolume")
                if claim_key(volume) == claim
            }
            return [("", name) for name in named | pointing if name]
        return []

    def reconcile(self, key: Key) -> float | None:
        """Write the phase that the volume and its claim justify."""
        volume = self.find("PersistentVolume", key)
        if volume is None:
            return None
        status = {"phase": self._phase(volume)}
        before = volume.get("status") or {}
        if before.get("phase") != status["phase"]:
            self.write_status(volume, status)
        return None

    def _phase(self, volume: Object) -> str:
        reference = volume["spec"].get("claimRef")
        if not reference or not reference.get("uid"):
            return "Available"
        claim = self.find("PersistentVolumeClaim", (reference["namespace"], reference["name"]))
        if claim is None or claim["metadata"]["uid"] != reference["uid"]:
            retained = volume["spec"].get("persistentVolumeReclaimPolicy", "Retain") == "Retain"
            return "Released" if retained else "Failed"
        return "Bound"


class PersistentVolumeClaims(Controller):
    """Binds claims to volumes, and tells which claims have lost theirs."""

    def __init__(self, store: Store, recorder: EventRecorder) -> None:
        super().__init__(store)
        self._recorder = recorder

    def keys(self, event: Event) -> Iterable[Key]:
        """Follow claims; a change of any volume may matter to every claim that is not bound to another."""
        if event.kind.kind == "PersistentVolumeClaim":
            return [key_of(event.object)]
        if event.kind.kind == "PersistentVolume":
            name = event.object["metadata"]["name"]
            return [
                key_of(claim)
                for claim in self.objects("PersistentVolumeClaim")
                if claim["spec"].get("volumeName", name) == name
            ]
        return []

    def reconcile(self, key: Key) -> float | None:
        """Bind a new claim; check a bound one."""
        claim = self.find("PersistentVolumeClaim", key)
        if claim is None or "deletionTimestamp" in claim["metadata"]:
            return None
        if _BIND_COMPLETED in (claim["metadata"].get("annotations") or {}):
            self._check_bound(claim)
        elif claim["spec"].get("volumeName"):
            self._bind_named(claim, claim["spec"]["volumeName"])
        else:
            self._bind_any(claim)
        return None

    def _check_bound(self, claim: Object) -> None:
        volume = self.store.get(kind_of("PersistentVolume"), None, claim["spec"].get("volumeName", ""))
        if volume is None:
            text = "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
            self._lose(claim, "ClaimLost", text)
        elif not volume["spec"].get("claimRef"):
            self._bind(claim, volume)
        elif volume["spec"]["claimRef"].get("uid") == claim["metadata"]["uid"]:
            self._write_bound(claim, volume)
        else:
            text = "Two claims are bound to the same volume, this one is bound incorrectly"
            self._lose(claim, "ClaimMisbound", text)

    def _lose(self, claim: Object, reason: str, message: str) -> None:
        if (claim.get("status") or {}).get("phase") != "Lost":
            self.write_status(claim, {"phase": "Lost"})
            self._recorder.warning(claim, reason, message)

    def _bind_named(self, claim: Object, name: str) -> None:
        volume = self.store.get(kind_of("PersistentVolume"), None, name)
        if volume is None:
            return
        reference = volume["spec"].get("claimRef")
        if not reference and (mismatch := _mismatch(claim, volume)):
            text = f'Cannot bind to requested volume "{name}": {mismatch}'
            self._recorder.warning(claim, "VolumeMismatch", text)
        elif not reference or _is_for(reference, claim):
            self._bind(claim, volume)
        else:
            self._recorder.warning(
                claim, "FailedBinding", f'volume "{name}" already bound to a different claim.'
            )

    def _bind_any(self, claim: Object) -> None:
        volumes = self.objects("PersistentVolume")
        reserved = [entry for entry in volumes if _is_for(entry["spec"].get("claimRef") or {}, claim)]
        free = [entry for entry in volumes if not entry["spec"].get("claimRef")]
        fitting = [entry for entry in free if not _mismatch(claim, entry) and _selects(claim, entry)]
        fitting.sort(key=_capacity)
        for volume in [*reserved, *fitting][:1]:
            self._bind(claim, volume)
            return
        self._explain(claim)

    def _explain(self, claim: Object) -> None:
        name = claim["spec"].get("storageClassName")
        if not name:
            text = "no persistent volumes available for this claim and no storage class is set"
            self._recorder.normal(claim, "FailedBinding", text)
        elif self.store.get(kind_of("StorageClass"), None, name) is None:
            text = f'storageclass.storage.k8s.io "{name}" not found'
            self._recorder.warning(claim, "ProvisioningFailed", text)

    def _bind(self, claim: Object, volume: Object) -> None:
        if "deletionTimestamp" in volume["metadata"]:
            return
        metadata = claim["metadata"]
        if not (volume["spec"].get("claimRef") or {}).get("uid"):
            if not volume["spec"].get("claimRef"):
                volume["metadata"].setdefault("annotations", {})[_BOUND_BY_CONTROLLER] = "yes"
            volume["spec"]["claimRef"] = {
                **_CLAIM_REFERENCE,
                "namespace": metadata["namespace"],
                "name": metadata["name"],
                "uid": metadata["uid"],
                "resourceVersion": metadata["resourceVersion"],
            }
            volume = self.store.update(kind_of("PersistentVolume"), volume)
        annotations = metadata.setdefault("annotations", {})
        if not claim["spec"].get("volumeName"):
            claim["spec"]["volumeName"] = volume["metadata"]["name"]
            annotations[_BOUND_BY_CONTROLLER] = "yes"
        annotations[_BIND_COMPLETED] = "yes"
        self._write_bound(self.store.update(kind_of("PersistentVolumeClaim"), claim), volume)

    def _write_bound(self, claim: Object, volume: Object) -> None:
        spec = volume["spec"]
        self.write_status(
            claim, {"phase": "Bound", "accessModes": spec["accessModes"], "capacity": spec["capacity"]}
        )


def claim_key(volume: Object) -> Key | None:
    """Name the claim that a volume is reserved for or bound to."""
    reference = volume["spec"].get("claimRef")
    return (reference.get("namespace", ""), reference.get("name", "")) if reference else None


def _is_for(reference: Object, claim: Object) -> bool:
    metadata = claim["metadata"]
    same = (reference.get("namespace"), reference.get("name")) == (metadata["namespace"], metadata["name"])
    return same and reference.get("uid") in (None, "", metadata["uid"])


def _mismatch(claim: Object, volume: Object) -> str:
    """Say why a volume that is free does not suit a claim; empty when it does."""
    wanted, offered = claim["spec"], volume["spec"]
    if _capacity(volume) < amount(wanted["resources"]["requests"]["storage"]):
        return "requested PV is too small"
    if (wanted.get("storageClassName") or "") != (offered.get("storageClassName") or ""):
        return "storageClassName does not match"
    if wanted.get("volumeMode", "Filesystem") != offered.get("volumeMode", "Filesystem"):
        return "incompatible volumeMode"
    if not set(wanted["accessModes"]) <= set(offered["accessModes"]):
        return "incompatible accessMode"
    return ""


def _selects(claim: Object, volume: Object) -> bool:
    selector = claim["spec"].get("selector")
    return selector is None or label_selector_matches(selector, volume["metadata"].get("labels") or {})


def _capacity(volume: Object) -> Decimal:
    return amount(volume["spec"]["capacity"]["storage"])
