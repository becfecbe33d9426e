"""The set's parent in the cluster: it names members before they are made, and no others when all is done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from runbook.clients.kube.objects import Object, Reference
from runbook.engine.change import Change, StepResult
from runbook.engine.shell import SHELL, shell_text
from runbook.steps.context import Context
from runbook.steps.kube.apply_commands import applied_from
from runbook.steps.kube.apply_set import PART_OF, ApplySet, members, set_name
from runbook.steps.kube.cluster import client, live, object_key
from runbook.steps.kube.difference import creation, differences
from runbook.steps.kube.workload import labels


def apply_set(context: Context, template: str) -> ApplySet:
    """Give the set of a template's objects in this environment."""
    return ApplySet(set_name(template, context.environment), labels(context))


def of_set(objects: Sequence[Object]) -> list[Reference]:
    """Name those objects that carry the label of a set; a template without it has no set."""
    return [Reference.to(item) for item in objects if PART_OF in (item["metadata"].get("labels") or {})]


def widened(context: Context, which: ApplySet, names: Iterable[Reference]) -> StepResult:
    """Have the parent name these too, so that whatever ends the run, the next one knows them."""
    present = live(context, which.parent)
    known = members(present) if present else []
    yield from _written(context, which, present, {*known, *names})
    return ""


def narrowed(context: Context, which: ApplySet, names: Iterable[Reference]) -> StepResult:
    """Have the parent name these only."""
    yield from _written(context, which, live(context, which.parent), set(names))
    return ""


def _written(context: Context, which: ApplySet, present: Object | None, names: set[Reference]) -> StepResult:
    if present is None and not names:
        return ""
    wanted = which.holding(names)
    future = _laid_over(present, wanted)
    found = differences(present, future) if present else [creation(wanted)]
    if found:
        manager = context.variables.kube.field_manager
        yield Change(
            found,
            _command(context, wanted),
            lambda: client(context).apply(wanted, field_manager=manager, force=True),
            {object_key(which.parent): future},
        )
    return ""


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


def _command(context: Context, wanted: Object) -> list[str]:
    """Write the commands that make the parent, label and annotate it, and apply it."""
    metadata, source = wanted["metadata"], ["--local", "--filename=-", "--output=yaml"]
    where = f"--namespace={metadata['namespace']}"
    literals = [f"--from-literal={key}={value}" for key, value in wanted["data"].items()]
    made = ["kubectl", "create", "configmap", metadata["name"], where, *literals]
    steps = [
        [*made, "--dry-run=client", "--output=yaml"],
        ["kubectl", "label", *source, *_pairs(metadata["labels"])],
        ["kubectl", "annotate", *source, *_pairs(metadata["annotations"])],
        applied_from(context, "-", force=True),
    ]
    return [*SHELL, " |\n".join(shell_text(step) for step in steps)]


def _pairs(values: dict[str, str]) -> list[str]:
    return [f"{key}={value}" for key, value in values.items()]
