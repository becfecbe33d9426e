"""What the set still has in the cluster and the variables no longer name: deleted, where nobody else uses it.

Servers and Services of other names go before the rollout is waited for: on a pool of one node the new Pod
needs the chips of the old one. What Pods use goes after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from runbook.clients.kube.objects import Object, Reference, is_terminating
from runbook.engine.change import Change, Difference, StepResult
from runbook.steps.context import Context
from runbook.steps.kube import removal, volume
from runbook.steps.kube.apply_set import ApplySet, members
from runbook.steps.kube.cluster import client, is_planned, kubectl, live, object_key

_WORKING: Final = frozenset({"Deployment", "Service", "Job"})
_LAST: Final = ("PersistentVolumeClaim", "PersistentVolume")


@dataclass(frozen=True)
class Leftovers:
    """Members that are no longer wanted.

    Args:
        working: what does or leads to work; its loss is asked about.
        used: what Pods use.
        kept: what stays for now, each with who uses it.
    """

    working: Sequence[Reference] = ()
    used: Sequence[Reference] = ()
    kept: Sequence[tuple[Reference, str]] = ()

    @property
    def all(self) -> list[Reference]:
        """Name them all."""
        return [*self.working, *self.used, *(reference for reference, _ in self.kept)]

    @property
    def staying(self) -> list[Reference]:
        """Name what stays for now."""
        return [reference for reference, _ in self.kept]

    def loss(self, context: Context) -> str | None:
        """Say what is lost with them; None where nothing that works is."""
        return _loss(context, self.working) if self.working else None

    @property
    def text(self) -> str:
        """Say what stays, and why; empty where nothing does."""
        return "; ".join(f"{reference} stays: {user} uses it" for reference, user in self.kept)


def leftovers(context: Context, apply_set: ApplySet, objects: Sequence[Object]) -> Leftovers:
    """Find the members that are there and are not among the wanted objects.

    Args:
        objects: what is wanted.
    """
    wanted = {Reference.to(item) for item in objects}
    parent = live(context, apply_set.parent)
    names = members(parent) if parent else _of_before(context, apply_set, objects)
    found = [item for name in names if name not in wanted and (item := _member(context, apply_set, name))]
    working = [Reference.to(item) for item in found if item["kind"] in _WORKING]
    others = sorted((item for item in found if item["kind"] not in _WORKING), key=_rank)
    kept = dict(_in_use(context, others, [*objects, *found]))
    used = [Reference.to(item) for item in others if Reference.to(item) not in kept]
    return Leftovers(working, used, list(kept.items()))


def pruned(context: Context, references: Sequence[Reference], *, ask: bool) -> StepResult:
    """Delete members that are there.

    Args:
        ask: whether each is a loss that is asked about.
    """
    for reference in references:
        if live(context, reference) is None:
            continue
        yield Change(
            [Difference(reference.short, f"there{_elsewhere(context, reference)}", None)],
            deletion(context, reference),
            partial(_delete, context, reference),
            {object_key(reference): None},
            loss=_loss(context, [reference]) if ask else None,
        )
    return ""


def deletion(context: Context, reference: Reference) -> list[str]:
    """Write the command that deletes an object after what it owns."""
    where = [f"--namespace={reference.namespace}"] if reference.namespace else []
    return kubectl(context, "delete", reference.short, "--cascade=foreground", *where)


def _delete(context: Context, reference: Reference) -> None:
    client(context).delete(reference, propagation="Foreground")
    removal.wait_until_gone(context, [reference])


def _loss(context: Context, references: Sequence[Reference]) -> str:
    named = ", ".join(f"{reference}{_elsewhere(context, reference)}" for reference in references)
    return f"{named}: deleted, as the variables no longer say so"


def _elsewhere(context: Context, reference: Reference) -> str:
    there = reference.namespace in {"", context.variables.kube.namespace}
    return "" if there else f" in namespace {reference.namespace}"


def _member(context: Context, apply_set: ApplySet, name: Reference) -> Object | None:
    """Read a member; an object of its name that somebody else made since is none."""
    found = live(context, name)
    return found if found is not None and apply_set.has(found) else None


def _of_before(context: Context, apply_set: ApplySet, objects: Sequence[Object]) -> list[Reference]:
    """List what was applied for this environment before it had a set: by its labels, kind by kind."""
    if is_planned(context):
        return []
    kinds = {(item["apiVersion"], item["kind"]) for item in objects if item["kind"] != "Namespace"}
    found = [
        item
        for version, kind in sorted({*kinds, ("v1", "Secret")})
        for item in client(context).list(
            version, kind, _namespace(context, kind), labels=dict(apply_set.labels)
        )
    ]
    return [Reference.to(item) for item in found if _is_of_the_server(context, item)]


def _namespace(context: Context, kind: str) -> str:
    return "" if kind == "PersistentVolume" else context.variables.kube.namespace


def _is_of_the_server(context: Context, found: Object) -> bool:
    """Leave out what benchmarks and transfers made: it goes by itself."""
    server, labels = context.variables.server.name, found["metadata"]["labels"]
    if found["kind"] == "Secret":
        return bool(found["metadata"]["name"].startswith(f"{server}-api-key-"))
    component = labels.get("app.kubernetes.io/component")
    return labels.get("app.kubernetes.io/instance") == server and component in {"server", "model"}


def _in_use(
    context: Context, leaving: Sequence[Object], sets: Sequence[Object]
) -> Iterator[tuple[Reference, str]]:
    """Find claims that Pods of others use, and volumes that are bound to claims which stay.

    Args:
        leaving: what would be deleted, claims before volumes.
        sets: all of ours, wanted or not: the Pods of its Deployments go, or use other claims then.
    """
    kept: set[Reference] = set()
    for item in leaving:
        user = ""
        if item["kind"] == "PersistentVolumeClaim":
            foreign = volume.users(context, Reference.to(item), sets).foreign
            user = foreign[0].short if foreign else ""
        elif item["kind"] == "PersistentVolume":
            user = _claim_that_stays(context, item, {Reference.to(other) for other in leaving} - kept)
        if user:
            kept.add(Reference.to(item))
            yield Reference.to(item), user


def _claim_that_stays(context: Context, found: Object, leaving: set[Reference]) -> str:
    bound = found["spec"].get("claimRef") or {}
    if found.get("status", {}).get("phase") != "Bound" or not bound:
        return ""
    claim = Reference("v1", "PersistentVolumeClaim", bound.get("namespace", ""), bound["name"])
    present = None if claim in leaving else live(context, claim)
    return "" if present is None or is_terminating(present) else f"{claim} of namespace {claim.namespace}"


def _rank(found: Object) -> int:
    return _LAST.index(found["kind"]) if found["kind"] in _LAST else -1
