"""Claims of a Pod that bring it no volume, and why: most of it no event tells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from runbook.clients.kube.objects import Object, Reader, Reference, is_terminating
from runbook.steps.kube.permitted import listed, permitted
from runbook.steps.kube.trouble import SOON_SECONDS, Diagnosis, about, latest

_REMEDY: Final = "run `inv deploy`: it makes, mends or replaces the claim and its volume"
_MAKE_IT: Final = (
    "run `inv deploy`: it makes the volumes of manifests/; where it is none of them, make it, or name another"
    " one in the claim's volumeName"
)
_ALIKE: Final = "make capacity, storage class and access modes of claim and volume alike in manifests/"
_FINAL_EVENTS: Final = frozenset({"VolumeMismatch", "ClaimLost", "ClaimMisbound"})


@dataclass(frozen=True)
class _Trouble:
    """What is wrong with a claim.

    Args:
        why: in words.
        lasting: it stays so for as long as nobody does anything.
        remedy: what the operator can do.
    """

    why: str
    lasting: bool = False
    remedy: str = _REMEDY


def unbound(kube: Reader, pod: Object) -> Diagnosis | None:
    """Look at the claims of a Pod that does not run; None where all are bound, or it has none."""
    if pod.get("status", {}).get("phase", "Pending") != "Pending":
        return None
    for name in _claims(pod):
        reference = Reference("v1", "PersistentVolumeClaim", pod["metadata"]["namespace"], name)
        found = _trouble(kube, kube.get(reference))
        if found is not None:
            text = f"Pod {pod['metadata']['name']} waits for {reference}, which {found.why}"
            return Diagnosis(text, "claim", 0 if found.lasting else SOON_SECONDS, text, found.remedy)
    return None


def _claims(pod: Object) -> Iterator[str]:
    for volume in pod["spec"].get("volumes") or ():
        if "persistentVolumeClaim" in volume:
            yield volume["persistentVolumeClaim"]["claimName"]


def _trouble(kube: Reader, claim: Object | None) -> _Trouble | None:
    """Say what is wrong with a claim; None where it is bound."""
    if claim is None:
        return _Trouble("is not there", lasting=True)
    if is_terminating(claim):
        return _Trouble("is being deleted", lasting=True)
    phase = claim.get("status", {}).get("phase", "Pending")
    if phase == "Lost":
        return _Trouble("is Lost: its volume was deleted, or belongs to another claim", lasting=True)
    return None if phase == "Bound" else _unbound(kube, claim)


def _unbound(kube: Reader, claim: Object) -> _Trouble:
    """Say why a claim is Pending: by the volume that it names, else by what was told of it."""
    name = claim["spec"].get("volumeName", "")
    for volume in _volume(kube, name):
        if volume is None:
            return _Trouble(f"is Pending: there is no persistentvolume/{name}", lasting=True, remedy=_MAKE_IT)
        if other := _other_claim(volume, claim):
            held = f"is Pending: persistentvolume/{name} is {volume['status'].get('phase')} for {other}"
            return _Trouble(held, lasting=True)
    metadata = claim["metadata"]
    fields = f"involvedObject.name={metadata['name']}"
    events = listed(lambda: kube.list("v1", "Event", metadata["namespace"], fields=fields))
    return _told(about(events, claim))


def _volume(kube: Reader, name: str) -> list[Object | None]:
    """Read a volume; an empty list where none is named, or the login may not look."""
    reference = Reference("v1", "PersistentVolume", "", name)
    nothing: list[Object | None] = []
    return permitted(lambda: [kube.get(reference)], otherwise=nothing) if name else nothing


def _told(events: Sequence[Object]) -> _Trouble:
    if not events:
        return _Trouble("is Pending")
    last = latest(events)
    reason = last.get("reason")
    remedy = _ALIKE if reason == "VolumeMismatch" else _REMEDY
    return _Trouble(f"is Pending: {reason}: {last.get('message')}", reason in _FINAL_EVENTS, remedy)


def _other_claim(volume: Object, claim: Object) -> str:
    """Name the claim that a volume is kept for, where it is another one; one of the same name may be gone."""
    kept, own = volume["spec"].get("claimRef") or {}, claim["metadata"]
    named = kept.get("namespace"), kept.get("name")
    if not kept or (named == (own["namespace"], own["name"]) and kept.get("uid") in {None, own["uid"]}):
        return ""
    gone = ", which is gone" if named == (own["namespace"], own["name"]) else ""
    return f"another claim, {kept.get('namespace')}/{kept.get('name')}{gone}"
