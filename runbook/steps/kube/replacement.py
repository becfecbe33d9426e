"""An object with fields that cannot be changed: deleted, and made anew, when that is confirmed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from runbook.clients.kube.failures import ImmutableFieldError
from runbook.clients.kube.objects import Object, Reference
from runbook.engine.change import UNKNOWN, Change, Difference, StepResult
from runbook.steps.context import Context
from runbook.steps.kube import removal, volume
from runbook.steps.kube.cluster import client, object_key
from runbook.steps.kube.difference import requested
from runbook.steps.kube.pruning import deletion
from runbook.steps.kube.server import answering_key


def removed(
    context: Context, present: Object, wanted: Object, refusal: ImmutableFieldError, ours: Sequence[Object]
) -> StepResult:
    """Delete an object that cannot become what is wanted; it is applied then as one that is not there.

    Args:
        present: as it is in the cluster.
        ours: all objects that are applied with it.
        refusal: of the API server, which names the fields.
    """
    reference = Reference.to(present)
    fields = ", ".join(refusal.fields) or "a field"
    loss = f"{reference} as it is: {fields} cannot be changed, so it is deleted and made anew"
    leaving = _leaving(present)
    gone = [Difference(item.short, "there", None) for item in leaving]
    delete = partial(_delete, context, leaving)
    if leaving[0].kind == "PersistentVolumeClaim":
        pods = volume.users(context, leaving[0], ours)
        gone += pods.differences
        loss = "; ".join(filter(None, [loss, pods.loss(leaving[0])]))
        delete = partial(volume.free, context, leaving, ours, pods.foreign)
    yield Change(
        [*requested(present, wanted), *gone],
        deletion(context, reference),
        delete,
        {answering_key(context): UNKNOWN, **{object_key(item): None for item in leaving}},
        loss=loss,
    )
    return ""


def _leaving(present: Object) -> list[Reference]:
    """Name what must go: with a volume also the claim that is bound to it."""
    bound = present["spec"].get("claimRef") if present["kind"] == "PersistentVolume" else None
    reference = Reference.to(present)
    if not bound:
        return [reference]
    return [Reference("v1", "PersistentVolumeClaim", bound["namespace"], bound["name"]), reference]


def _delete(context: Context, leaving: Sequence[Reference]) -> None:
    for reference in leaving:
        client(context).delete(reference, propagation="Foreground")
    removal.wait_until_gone(context, leaving)
