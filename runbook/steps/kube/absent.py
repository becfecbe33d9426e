"""Nothing of deploy and bench, and of Pods that moved the model, is left in the cluster.

Sections 5.3 and 6.1 of the guide. What goes is whatever carries this environment's labels, so also
benchmarks of earlier runs and volumes of other buckets, in the reverse order of the templates: nothing then
waits for something that is still used (D33). Sets of 4.3 go last: they tell in which other namespaces there
still is something. Namespaces, the bucket and its content stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from pydantic import Field

from runbook.clients.kube.objects import Object, Reference
from runbook.engine.bill import Bill
from runbook.engine.change import Change, Difference, FactKey, StepResult
from runbook.engine.errors import ManifestError, Place
from runbook.engine.manual import Manual
from runbook.steps.context import Context, StepArguments
from runbook.steps.gke.bills import cluster_bills
from runbook.steps.kube import removal
from runbook.steps.kube.apply_set import PARENT_NAMESPACE, is_parent, members
from runbook.steps.kube.cluster import OBJECTS, client, is_there, kubectl, object_key
from runbook.steps.kube.workload import labels

_KIND: Final = re.compile(r"^apiVersion: (\S+)\nkind: (\S+)$", re.MULTILINE)
_CLUSTER_WIDE: Final = frozenset({"PersistentVolume"})
_KEPT: Final = frozenset({"Namespace"})


class Arguments(StepArguments):
    """What `with:` may say."""

    templates: list[str] = Field(
        description="files of manifests/: objects of their kinds are looked for, in reverse order"
    )
    confirm: bool = Field(False, description="whether the loss of the running server is asked about")


def run(arguments: Arguments, context: Context) -> StepResult:
    """Find what carries the labels, and delete it, kind after kind."""
    if not is_there(context):
        return "there is no cluster"
    key: FactKey = (*OBJECTS, "labelled")
    kinds = list(_kinds(context, arguments.templates))
    found: list[Object] = context.facts.read(key, partial(_labelled, context, kinds))
    remaining = found
    loss = _loss(found) if arguments.confirm else None
    for _, objects in groupby(found, key=_kind_and_place):
        gone = list(objects)
        group = [Reference.to(item) for item in gone]
        remaining = [item for item in remaining if item not in gone]
        planned: dict[FactKey, Any] = {object_key(reference): None for reference in group}
        yield Change(
            [Difference(reference.short, "there", None) for reference in group],
            _command(context, [reference.short for reference in group], group[0].namespace),
            partial(_delete, context, group),
            {**planned, key: remaining},
            loss=loss,
        )
        loss = None
    return "deleted" if found else "nothing is there"


def _kind_and_place(found: Object) -> tuple[str, str, bool]:
    return found["kind"], found["metadata"].get("namespace", ""), is_parent(found)


def _loss(found: Sequence[Object]) -> str | None:
    """Say what is lost with objects that do work; asked once, before the first of all is deleted."""
    working = [Reference.to(item).short for item in found if item["kind"] in {"Deployment", "Job"}]
    return f"what runs in the cluster: {', '.join(working)}" if working else None


def bills(arguments: Arguments, context: Context) -> Sequence[Bill]:  # noqa: ARG001 - every step takes its arguments
    """Name what goes on costing: the cluster under the workload."""
    return cluster_bills(context)


def manual(arguments: Arguments, context: Context) -> Manual:
    """Tell how to delete the workload by hand."""
    kinds = [kind.lower() for _, kind in dict.fromkeys(_kinds(context, arguments.templates))]
    namespace = f"--namespace={context.variables.kube.namespace}"
    return Manual(
        commands=deletions(context, arguments.templates),
        check=[kubectl(context, "get", ",".join(kinds), _selector(context), namespace)],
        note="Nothing is lost that deploy and bench do not make again: the model stays in the bucket, "
        "benchmark results in .runs/.",
    )


def deletions(context: Context, templates: Sequence[str]) -> list[list[str]]:
    """Write the commands that delete whatever carries this environment's labels, kind after kind.

    Args:
        templates: files of manifests/: their kinds are deleted, in reverse order.
    """
    kinds = dict.fromkeys(kind for _, kind in _kinds(context, templates))
    commands = [
        _command(context, [kind.lower(), _selector(context)], _namespace(context, kind)) for kind in kinds
    ]
    sets = _command(context, ["configmap", _selector(context)], PARENT_NAMESPACE)
    return commands if sets in commands else [*commands, sets]


def _kinds(context: Context, templates: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Read from the templates which kinds there may be, those that were applied last first."""
    for template in templates:
        text = _text(context.root / "manifests" / template)
        kinds = [(version, kind) for version, kind in _KIND.findall(text) if kind not in _KEPT]
        yield from reversed(kinds)
    yield "v1", "Secret"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ManifestError(
            f"there is no manifest template {path.name}", place=Place.in_file(path)
        ) from error


def _labelled(context: Context, kinds: Sequence[tuple[str, str]]) -> list[Object]:
    parents = [found for found in _of_kind(context, "v1", "ConfigMap", PARENT_NAMESPACE) if is_parent(found)]
    spaces = {member.namespace for parent in parents for member in members(parent)} - {""}
    namespaces = [context.variables.kube.namespace, *sorted(spaces - {context.variables.kube.namespace})]
    found: list[Object] = []
    for version, kind in dict.fromkeys(kinds):
        for where in [""] if kind in _CLUSTER_WIDE else namespaces:
            found += _of_kind(context, version, kind, where)
    return [*(item for item in found if not is_parent(item)), *parents]


def _of_kind(context: Context, version: str, kind: str, namespace: str) -> list[Object]:
    return client(context).list(version, kind, namespace, labels=labels(context))


def _namespace(context: Context, kind: str) -> str:
    return "" if kind in _CLUSTER_WIDE else context.variables.kube.namespace


def _command(context: Context, objects: Sequence[str], namespace: str) -> list[str]:
    where = [f"--namespace={namespace}"] if namespace else []
    return kubectl(context, "delete", *objects, "--cascade=foreground", *where)


def _selector(context: Context) -> str:
    return "--selector=" + ",".join(f"{name}={value}" for name, value in labels(context).items())


def _delete(context: Context, group: Sequence[Reference]) -> None:
    for reference in group:
        client(context).delete(reference, propagation="Foreground")
    removal.wait_until_gone(context, group)
