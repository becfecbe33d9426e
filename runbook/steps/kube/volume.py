"""A volume and its claim that lost each other, brought together again (trap D33).

A claim that was deleted while a Pod uses it only goes with the Pod. A claim whose volume was deleted is lost
for good. A volume that outlived its claim keeps the old claim's uid and takes no other until that is removed.
A Pod that is not of the server's Deployment is somebody else's: it goes only when that is confirmed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from runbook.clients.kube.objects import Object, Reference, is_terminating
from runbook.engine.change import UNKNOWN, Change, Difference, StepResult
from runbook.steps.context import Context
from runbook.steps.kube import removal
from runbook.steps.kube.cluster import client, kubectl, live, object_key
from runbook.steps.kube.server import answering_key

_FORGET_CLAIM = {"spec": {"claimRef": {"uid": None, "resourceVersion": None}}}


def freed(context: Context, objects: Sequence[Object]) -> StepResult:
    """Have a claim, and a volume, that cannot be used any more go away, with the Pods that hold them."""
    for claim, volume in _pairs(objects):
        state = _claim_state(live(context, claim), live(context, volume))
        if state is None:
            continue
        leaving = [claim, *([volume] if is_terminating(live(context, volume)) else [])]
        pods = users(context, claim, objects)
        yield Change(
            [Difference(claim.short, state, None), *pods.differences],
            _deletion(context, [*leaving, *pods.all]),
            partial(free, context, leaving, objects, pods.foreign),
            {answering_key(context): UNKNOWN, **{object_key(reference): None for reference in leaving}},
            loss=pods.loss(claim),
            warning="the server restarts: its Pods hold the claim",
        )
    return ""


def _deletion(context: Context, leaving: Sequence[Reference]) -> list[str]:
    names = [reference.short for reference in leaving]
    return kubectl(context, "delete", *names, f"--namespace={leaving[0].namespace}")


def rebound(context: Context, objects: Sequence[Object]) -> StepResult:
    """Make volumes forget a claim that is gone, so that they take the one that has its name now."""
    for claim, volume in _pairs(objects):
        present = live(context, volume)
        known = _claim_uid(present)
        if present is None or known is None or known == _uid(live(context, claim)):
            continue
        spec = {**present["spec"], "claimRef": {"namespace": claim.namespace, "name": claim.name}}
        yield Change(
            [Difference(f"{volume}.spec.claimRef.uid", known, None)],
            kubectl(
                context,
                *("patch", "persistentvolume", volume.name, "--type=merge"),
                '--patch={"spec":{"claimRef":{"uid":null,"resourceVersion":null}}}',
            ),
            partial(_forget_claim, context, volume),
            {object_key(volume): {**present, "spec": spec}, object_key(claim): live(context, claim)},
        )
    return ""


def _forget_claim(context: Context, volume: Reference) -> None:
    manager = context.variables.kube.field_manager
    client(context).merge_patch(volume, _FORGET_CLAIM, field_manager=manager)


def _pairs(objects: Sequence[Object]) -> Iterator[tuple[Reference, Reference]]:
    volumes = {found["metadata"]["name"]: found for found in objects if found["kind"] == "PersistentVolume"}
    for found in objects:
        if found["kind"] == "PersistentVolumeClaim" and found["spec"].get("volumeName") in volumes:
            yield Reference.to(found), Reference.to(volumes[found["spec"]["volumeName"]])


def _claim_state(claim: Object | None, volume: Object | None) -> str | None:
    """Say why a claim must go; None where it may stay."""
    if is_terminating(claim):
        return "is being deleted, and used"
    if is_terminating(volume):
        return "bound to a volume that is being deleted" if claim else None
    phase = (claim or {}).get("status", {}).get("phase")
    if phase == "Lost" or (phase == "Bound" and volume is None):
        return "Lost: its volume was deleted"
    return None


def free(
    context: Context, leaving: Sequence[Reference], objects: Sequence[Object], foreign: Sequence[Reference]
) -> None:
    """Delete a claim, our Pods that hold it, and what else is named; wait until claim and volume are gone.

    Args:
        leaving: the claim first.
        objects: ours; the Pods of its Deployments are.
        foreign: Pods of others whose deletion was confirmed.
    """
    own = users(context, leaving[0], objects).own
    for reference in [*leaving, *own, *foreign]:
        client(context).delete(reference)
    removal.wait_until_gone(context, leaving)


@dataclass(frozen=True)
class Users:
    """Pods that have not ended and mount one claim.

    Args:
        own: of Deployments that are ours.
        foreign: all others.
    """

    own: Sequence[Reference]
    foreign: Sequence[Reference]

    @property
    def all(self) -> list[Reference]:
        """Name them all."""
        return [*self.own, *self.foreign]

    @property
    def differences(self) -> list[Difference]:
        """Name those of others as something that goes."""
        return [Difference(pod.short, "there, and uses the claim", None) for pod in self.foreign]

    def loss(self, claim: Reference) -> str | None:
        """Say what others lose; None where it is nothing."""
        names = ", ".join(pod.short for pod in self.foreign)
        return f"{names}: not of this server, deleted as {claim} cannot go before" if names else None


def users(context: Context, claim: Reference, objects: Sequence[Object]) -> Users:
    """Find the Pods that use a claim.

    Args:
        objects: ours; the Pods of its Deployments are.
    """
    selectors = [
        item["spec"]["selector"]["matchLabels"]
        for item in objects
        if item["kind"] == "Deployment" and Reference.to(item).namespace == claim.namespace
    ]
    found = [pod for pod in client(context).list("v1", "Pod", claim.namespace) if _uses(pod, claim.name)]
    own = [Reference.to(pod) for pod in found if _is_selected(pod, selectors)]
    return Users(own, [pod for pod in map(Reference.to, found) if pod not in own])


def _is_selected(pod: Object, selectors: Sequence[Mapping[str, str]]) -> bool:
    labels = pod["metadata"].get("labels") or {}
    return any(selector.items() <= labels.items() for selector in selectors)


def _uses(pod: Object, claim: str) -> bool:
    """Tell whether a Pod that has not ended mounts a claim of its namespace."""
    if pod.get("status", {}).get("phase") in {"Succeeded", "Failed"}:
        return False
    volumes = pod["spec"].get("volumes", ())
    return any(item.get("persistentVolumeClaim", {}).get("claimName") == claim for item in volumes)


def _claim_uid(volume: Object | None) -> str | None:
    found: str | None = (volume or {}).get("spec", {}).get("claimRef", {}).get("uid")
    return found


def _uid(found: Object | None) -> str | None:
    uid: str | None = (found or {}).get("metadata", {}).get("uid")
    return uid
