"""The set's parent in the cluster: it names members before they are made, and no others when all is done."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence

from runbook.clients.kube.objects import Object, Reference
from runbook.engine.change import Change, Difference
from runbook.steps.context import Context
from runbook.steps.kube.apply_set import PARENT_NAMESPACE, PART_OF, ApplySet, members, set_name
from runbook.steps.kube.cluster import client, live, object_key
from runbook.steps.kube.difference import creation, differences
from runbook.steps.kube.workload import labels


def apply_set(context: Context, template: str) -> ApplySet:
    """Give the set of a template's objects in this environment."""
    return ApplySet(set_name(template, context.environment), labels(context))


def of_set(objects: Sequence[Object]) -> list[Reference]:
    """Name those objects that carry the label of a set; a template without it has no set."""
    return [Reference.to(item) for item in objects if PART_OF in (item["metadata"].get("labels") or {})]


def widened(
    context: Context, which: ApplySet, names: Iterable[Reference], loss: str | None
) -> Generator[Change, None, bool]:
    """Have the parent name these too, so that whatever ends the run, the next one knows them.

    Args:
        loss: what will be lost later on this way; asked about here, before anything is made.

    Returns:
        whether there was something to do, and so the loss was asked about.
    """
    present = live(context, which.parent)
    known = members(present) if present else []
    return (yield from _written(context, which, present, {*known, *names}, loss))


def narrowed(context: Context, which: ApplySet, names: Iterable[Reference]) -> Generator[Change, None, bool]:
    """Have the parent name these only."""
    return (yield from _written(context, which, live(context, which.parent), set(names), None))


def _written(
    context: Context, which: ApplySet, present: Object | None, names: set[Reference], loss: str | None
) -> Generator[Change, None, bool]:
    if present is None and not names:
        return False
    wanted = which.holding(names)
    future = _laid_over(present, wanted)
    found = _told(present, future)
    manager = context.variables.kube.field_manager
    if found:
        yield Change(
            found,
            [],  # who types the commands keeps no set
            lambda: client(context).apply(wanted, field_manager=manager, force=True),
            {object_key(which.parent): future},
            loss=loss,
        )
    return bool(found)


def _told(present: Object | None, future: Object) -> list[Difference]:
    """Tell each member that comes or goes; what follows from the members is not told beside them."""
    if present is None:
        return [creation(future)]
    parent = Reference.to(future)
    before, after = set(members(present)), set(members(future))
    changed = [
        *(Difference(f"{parent}.data.{_named(item)}", None, item.api_version) for item in after - before),
        *(Difference(f"{parent}.data.{_named(item)}", item.api_version, None) for item in before - after),
    ]
    return sorted(changed, key=lambda item: item.path) or differences(present, future)


def _named(member: Reference) -> str:
    elsewhere = member.namespace not in {"", PARENT_NAMESPACE}
    return f"{member.namespace}/{member.short}" if elsewhere else member.short


def _laid_over(present: Object | None, wanted: Object) -> Object:
    """Give the parent as it will be: labels and annotations of others stay."""
    if present is None:
        return wanted
    metadata = {**present["metadata"]}
    for field in ("labels", "annotations"):
        ours = wanted["metadata"][field]
        others = {
            key: value
            for key, value in (metadata.get(field) or {}).items()
            if not key.startswith("applyset.kubernetes.io/")
        }
        metadata[field] = {**others, **ours}
    return {**present, "metadata": metadata, "data": wanted["data"]}
