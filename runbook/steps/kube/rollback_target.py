"""Which revision of the server a rollback goes back to, and whether its Pods could start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from runbook.clients.kube.objects import Object, Reference
from runbook.engine.change import FactKey
from runbook.engine.errors import FailedError, Place, UserError
from runbook.steps.context import Context
from runbook.steps.kube.cluster import OBJECTS, client, live
from runbook.steps.kube.paused import refuse_paused
from runbook.steps.kube.pod_references import needed
from runbook.steps.kube.revisions import Revision, current, last_ready, read_revisions
from runbook.steps.kube.server import deployment

ROLLED_BACK: Final = "runbook/rolled-back-to"
"""The annotation that names the ReplicaSet which a rollback brought back: to run it again goes no further."""


def find_target(context: Context, present: Object) -> Revision:
    """Choose the revision to go back to: once in a line, as the present one is another afterwards.

    Args:
        present: the Deployment.

    Raises:
        UserError: there is nothing to go back to.
    """
    known = known_revisions(context, present)
    reference = deployment(context)
    key: FactKey = ("rollback", reference.namespace, reference.name)
    name = context.facts.read(key, lambda: _chosen(context, present, known).name)
    for revision in known:
        if revision.name == name:
            return revision
    raise FailedError(f"replicaset/{name} was deleted while {reference} went back to it")


def known_revisions(context: Context, present: Object) -> list[Revision]:
    """Read the Deployment's revisions once, oldest first."""
    return context.facts.read(revisions_key(context), lambda: read_revisions(client(context), present))


def revisions_key(context: Context) -> FactKey:
    """Name the fact of the server's revisions."""
    reference = deployment(context)
    return (*OBJECTS, "ReplicaSet", reference.namespace, reference.name, "revisions")


def _chosen(context: Context, present: Object, known: Sequence[Revision]) -> Revision:
    reference = deployment(context)
    refuse_paused(context, present)
    if context.variables.rollback.revision:
        return _named(context, known)
    now = current(present, known)
    annotations = present["metadata"].get("annotations") or {}
    if now is not None and annotations.get(ROLLED_BACK) == now.name:
        return now
    found = last_ready(present, known)
    if found is None:
        others = [item.number for item in known if item is not now]
        named = f", or name a revision ({_listed(others)}): --set rollback.revision=N" if others else ""
        raise UserError(
            f"there is nothing to go back to: no other revision of {reference} was ever ready",
            place=Place(str(reference)),
            remedy=f"mend the variables and run `inv deploy`{named}",
        )
    return found


def _named(context: Context, known: Sequence[Revision]) -> Revision:
    wanted = context.variables.rollback.revision
    for revision in known:
        if wanted == revision.number or wanted in revision.earlier:
            return revision
    raise UserError(
        f"{deployment(context)} has no revision {wanted}",
        place=Place("rollback.revision"),
        remedy=f"it has {_listed([item.number for item in known])}",
    )


def require_parts(context: Context, target: Revision) -> None:
    """Refuse a revision whose Pods could not start.

    Raises:
        UserError: what its Pods refer to was deleted since.
    """
    namespace = deployment(context).namespace
    for kind, name in needed(target.template["spec"]):
        reference = Reference("v1", kind, namespace, name)
        if live(context, reference) is None:
            raise UserError(
                f"revision {target.number} needs {reference}, which is not there any more",
                place=Place(f"replicaset/{target.name}"),
                remedy="name another revision: --set rollback.revision=N; or set its variables and run "
                "`inv deploy`",
            )


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(str(number) for number in numbers)
