"""A volume and its claim that lost each other, brought together again (trap D33).

A claim that was deleted while a Pod uses it only goes with the Pod. A claim whose volume was deleted is lost
for good. A volume that outlived its claim keeps the old claim's uid and takes no other until that is removed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
        yield Change(
            [Difference(claim.short, state, None)],
            kubectl(
                context,
                *("delete", "pods", f"--selector=app={context.variables.server.name}"),
                f"--namespace={claim.namespace}",
            ),
            partial(free, context, leaving),
            {answering_key(context): UNKNOWN, **{object_key(reference): None for reference in leaving}},
            warning="the server restarts: its Pods hold the claim",
        )
    return ""


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


def free(context: Context, leaving: Sequence[Reference]) -> None:
    """Delete a claim, the Pods that hold it, and what else is named; wait until all are gone.

    Args:
        leaving: the claim first.
    """
    kube, claim = client(context), leaving[0]
    for reference in leaving:
        kube.delete(reference)
    for pod in kube.list("v1", "Pod", claim.namespace):
        if uses(pod, claim.name):
            kube.delete(Reference.to(pod))
    removal.wait_until_gone(context, leaving)


def uses(pod: Object, claim: str) -> bool:
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
