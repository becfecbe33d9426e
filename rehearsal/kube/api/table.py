"""Tables: what `kubectl get` prints, cell by cell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from rehearsal.kube.api.ages import age
from rehearsal.kube.api.custom.columns import cells as custom_cells
from rehearsal.kube.api.custom.columns import column_definitions
from rehearsal.kube.api.kinds import Kind
from rehearsal.kube.api.store import Object
from rehearsal.kube.api.table_cluster import CLUSTER_PRINTERS
from rehearsal.kube.api.table_pods import pod_cells
from rehearsal.kube.api.table_workloads import WORKLOAD_PRINTERS

_POD_COLUMNS = "Name Ready Status Restarts Age | IP Node Nominated_Node Readiness_Gates"


@dataclass(frozen=True)
class Printer:
    """The columns of a kind and the cells of one object.

    Args:
        columns: names in order, `_` for a space; those after `|` only with -o wide.
    """

    columns: str
    cells: Callable[[Object], list[Any]]


def _plain(obj: Object) -> list[Any]:
    return [obj["metadata"]["name"], age(obj["metadata"].get("creationTimestamp"))]


_PRINTERS = {
    kind: Printer(columns, cells)
    for kind, (columns, cells) in {
        **CLUSTER_PRINTERS,
        **WORKLOAD_PRINTERS,
        "Pod": (_POD_COLUMNS, pod_cells),
    }.items()
}
_DEFAULT = Printer("Name Age", _plain)


def wants_table(accept: str) -> bool:
    """Tell whether a client prefers a Table (an Accept header's `as=Table`)."""
    return "as=Table" in accept.partition(",")[0]


def table(kind: Kind, objects: list[Object], metadata: Object, include_object: str) -> Object:
    """Render objects as a Table.

    Args:
        metadata: of the list: resourceVersion, continue.
        include_object: None, Metadata or Object, as the query parameter includeObject says.
    """
    printer = _PRINTERS.get(kind.kind, _DEFAULT)
    columns, cells = _columns(printer.columns), printer.cells
    if kind.custom is not None:
        columns, cells = column_definitions(kind.custom), partial(custom_cells, kind.custom)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": columns,
        "rows": [_row(kind, cells(obj), obj, include_object) for obj in objects],
    }


def _columns(columns: str) -> list[Object]:
    definitions = []
    priority = 0
    for word in columns.split():
        if word == "|":
            priority = 1
            continue
        name = word.replace("_", " ")
        definitions.append({
            "name": name,
            "type": "string",
            "format": "name" if name == "Name" else "",
            "description": name,
            "priority": priority,
        })  # fmt: skip
    return definitions


def _row(kind: Kind, cells: list[Any], obj: Object, include_object: str) -> Object:
    row: Object = {"cells": cells}
    if include_object == "Object":
        row["object"] = {**obj, "apiVersion": kind.api_version, "kind": kind.kind}
    elif include_object != "None":
        row["object"] = {
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": obj["metadata"],
        }
    return row
