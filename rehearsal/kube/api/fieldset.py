"""Sets of fields as managedFields writes them, and the fields that an object has."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from rehearsal.kube.api.schema import Type, child, is_granular_list, is_granular_map, item, struct_of

Path = tuple[str, ...]
FieldSet = frozenset[Path]

# Every object says these about itself; no manager owns them.
NOBODYS: frozenset[Path] = frozenset(
    {("f:apiVersion",), ("f:kind",), ("f:metadata",)}
    | {
        ("f:metadata", f"f:{name}")
        for name in (
            "name", "namespace", "creationTimestamp", "selfLink", "uid", "generation", "managedFields",
            "resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds",
        )
    }
)  # fmt: skip


def from_fields_v1(fields: dict[str, Any]) -> FieldSet:
    """Read a `fieldsV1` document."""
    return frozenset(_members(fields, ()))


def _members(fields: dict[str, Any], path: Path) -> Iterator[Path]:
    if path and (not fields or "." in fields):
        yield path
    for step, below in fields.items():
        if step != ".":
            yield from _members(below, (*path, step))


def to_fields_v1(fields: Iterable[Path]) -> dict[str, Any]:
    """Write a set of fields as a `fieldsV1` document."""
    document: dict[str, Any] = {}
    members = set(fields)
    for path in sorted(members):
        node = document
        for step in path:
            node = node.setdefault(step, {})
    for path in members:
        node = document
        for step in path:
            node = node[step]
        if node:
            node["."] = {}
    return _ordered(document)


def _ordered(document: dict[str, Any]) -> dict[str, Any]:
    return {step: _ordered(document[step]) for step in sorted(document)}


def item_step(described: Type, value: Any) -> str:
    """Name one item of a granular list: by its keys, or by its value in a set."""
    if described.relation == "set":
        return "v:" + json.dumps(value, separators=(",", ":"))
    return "k:" + json.dumps(key_of(described, value), separators=(",", ":"), sort_keys=True)


def key_of(described: Type, value: dict[str, Any]) -> dict[str, Any]:
    """Give the fields that tell an item of a list apart, with the schema's defaults."""
    struct = struct_of(item(described))
    key = {}
    for name in described.keys:
        found = value.get(name, struct.defaults.get(name))
        if found is not None:
            key[name] = found
    return key


def leaves_of(described: Type, value: Any, *, containers: bool = False) -> dict[Path, Any]:
    """Give the fields that an object sets with their values: its leaves, list items and map keys.

    Args:
        containers: also name the maps and lists themselves, as a plain write (not an apply) records them.
    """
    found = dict(_walk(described, value, (), containers))
    return {path: leaf for path, leaf in found.items() if path not in NOBODYS}


def fields_of(described: Type, value: Any, *, containers: bool = False) -> FieldSet:
    """Give the fields that an object sets, without their values."""
    return frozenset(leaves_of(described, value, containers=containers))


def _walk(described: Type, value: Any, path: Path, containers: bool) -> Iterator[tuple[Path, Any]]:
    if is_granular_map(described, value):
        if containers and path and described.name != "struct":
            yield path, ()
        yield from _walk_map(described, value, path, containers)
    elif is_granular_list(described, value):
        if containers:
            yield path, ()
        for entry in value:
            step = (*path, item_step(described, entry))
            yield step, ()
            yield from _walk(item(described), entry, step, containers)
    else:
        yield path, value


def _walk_map(
    described: Type, value: dict[str, Any], path: Path, containers: bool
) -> Iterator[tuple[Path, Any]]:
    for key, below in value.items():
        below_type = child(described, key)
        if below_type is None:
            continue
        step = (*path, f"f:{key}")
        if below is None or below == {} or described.name != "struct":
            yield step, ()
        if below is not None:
            yield from _walk(below_type, below, step, containers)


def readable(path: Path) -> str:
    """Write a path as messages do: `.spec.containers[name="a"].image`."""
    return "".join(_readable_step(step) for step in path)


def _readable_step(step: str) -> str:
    if step.startswith("f:"):
        return f".{step[2:]}"
    if step.startswith("v:"):
        return f"[={step[2:]}]"
    key = json.loads(step[2:])
    return "[" + ",".join(f"{name}={json.dumps(value)}" for name, value in sorted(key.items())) + "]"
