"""metadata.managedFields: which manager set which fields, after an apply and after a plain write."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from rehearsal.kube.api.fieldset import FieldSet, Path, fields_of, from_fields_v1, leaves_of, to_fields_v1
from rehearsal.kube.api.schema import Type
from rehearsal.kube.api.store import Object, timestamp


@dataclass(frozen=True)
class Manager:
    """One entry of managedFields.

    Args:
        operation: Apply (server-side apply) or Update (anything else).
    """

    name: str
    operation: str
    api_version: str
    subresource: str
    fields: FieldSet = frozenset()
    time: str = ""

    def same(self, other: Manager) -> bool:
        """Tell whether both entries are of one manager doing one kind of thing."""
        return (self.name, self.operation, self.api_version, self.subresource) == (
            other.name,
            other.operation,
            other.api_version,
            other.subresource,
        )

    def label(self) -> str:
        """Name the manager as conflicts do."""
        shown = f'"{self.name}"'
        if self.subresource:
            shown += f' with subresource "{self.subresource}"'
        if self.operation == "Update":
            shown += f" using {self.api_version}"
            shown += f" at {self.time}" if self.time else ""
        return shown


def managers_of(obj: Object | None) -> list[Manager]:
    """Read an object's managedFields."""
    entries = (obj or {}).get("metadata", {}).get("managedFields") or []
    return [
        Manager(
            entry.get("manager", ""),
            entry.get("operation", "Update"),
            entry.get("apiVersion", ""),
            entry.get("subresource", ""),
            from_fields_v1(entry.get("fieldsV1", {})),
            entry.get("time", ""),
        )
        for entry in entries
        if entry
    ]


def write_managers(obj: Object, managers: list[Manager], before: list[Manager]) -> None:
    """Put managers into managedFields; the time of an entry that did not change stays.

    Args:
        before: the live object's managers.
    """
    now = timestamp()
    entries = []
    for manager in managers:
        if not manager.fields:
            continue
        known = next((old for old in before if old.same(manager) and old.fields == manager.fields), None)
        entries.append(_entry(replace(manager, time=known.time if known else now)))
    obj["metadata"].pop("managedFields", None)
    if entries:
        obj["metadata"]["managedFields"] = entries


def _entry(manager: Manager) -> dict[str, Any]:
    entry = {
        "apiVersion": manager.api_version,
        "fieldsType": "FieldsV1",
        "fieldsV1": to_fields_v1(manager.fields),
        "manager": manager.name,
        "operation": manager.operation,
        "time": manager.time,
    }
    if manager.subresource:
        entry["subresource"] = manager.subresource
    return entry


def changed_fields(described: Type, old: Object, new: Object) -> tuple[FieldSet, FieldSet]:
    """Compare two states of an object: the fields that were set or changed, and those that went away."""
    before = leaves_of(described, old, containers=True)
    after = leaves_of(described, new, containers=True)
    touched: set[Path] = {
        path for path, value in after.items() if path not in before or before[path] != value
    }
    return frozenset(touched), frozenset(before.keys() - after.keys())


def after_update(
    described: Type, old: Object, new: Object, writer: Manager, base: list[Manager]
) -> list[Manager]:
    """Give the managers after a plain write: the writer owns all that it changed, and others lose that.

    Args:
        base: the managers before it.
    """
    touched, gone = changed_fields(described, old, new)
    own: FieldSet = frozenset()
    others = []
    for manager in base:
        if manager.same(writer):
            own = manager.fields
        else:
            others.append(replace(manager, fields=manager.fields - touched - gone))
    if not touched and not gone:
        return base
    fields = ((own - gone) | touched) & fields_of(described, new, containers=True)
    return [*others, replace(writer, fields=fields)]
