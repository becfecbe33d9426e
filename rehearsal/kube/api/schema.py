"""The types of the built-in kinds' fields, and how lists and maps of each merge."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from rehearsal.kube.api.kinds import Kind


@dataclass(frozen=True)
class Type:
    """The type of one field.

    Args:
        name: string, integer, number, boolean, quantity, int-or-string, any, list, map or struct.
        element: of a list or map, the type of its items.
        struct: of a struct, the name under which its fields are found.
        atomic: one manager owns it as a whole (lists and maps).
        keys: of a list of relation `map`, the fields that tell its items apart.
        relation: of a list: atomic, set or map.
        patch_merge_key: strategic merge goes item by item, by this field (empty: by value).
        retain_keys: strategic merge drops the fields that the patch does not name.
        inline: of a custom kind's struct, its fields.
    """

    name: str
    element: Type | None = None
    struct: str = ""
    atomic: bool = False
    relation: str = "atomic"
    keys: tuple[str, ...] = ()
    patch_merge_key: str | None = None
    retain_keys: bool = False
    inline: Struct | None = None


@dataclass(frozen=True)
class Struct:
    """The fields of one type.

    Args:
        required: those that must be there.
        defaults: that list keys rely on.
        open: it takes fields beyond those it names.
    """

    fields: Mapping[str, Type]
    required: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    open: bool = False


ANY = Type("any")
METADATA = Type("struct", struct="apimachinery.pkg.apis.meta.v1.ObjectMeta")
_FREE = Struct({"apiVersion": Type("string"), "kind": Type("string"), "metadata": METADATA}, open=True)
FREE = Type("struct")
"""An object of which only the metadata's type is known."""


@cache
def _structs() -> dict[str, Struct]:
    document = json.loads(Path(__file__).with_name("schema.json").read_text(encoding="utf-8"))
    described = document["types"]
    return {
        name: Struct(
            {key: _type(value, described) for key, value in entry["fields"].items()},
            tuple(entry.get("required", ())),
            entry.get("defaults", {}),
        )
        for name, entry in described.items()
    }


def _type(described: Any, types: dict[str, Any]) -> Type:
    if isinstance(described, str):
        return Type(described)
    if "struct" in described:
        name = described["struct"]
        atomic = described.get("atomic", types[name].get("atomic", False))
        return Type("struct", struct=name, atomic=atomic, retain_keys=described.get("retain_keys", False))
    if "map" in described:
        return Type("map", element=_type(described["map"], types), atomic=described.get("atomic", False))
    relation = described.get("relation", "atomic")
    return Type(
        "list",
        element=_type(described["list"], types),
        atomic=relation == "atomic",
        relation=relation,
        keys=tuple(described.get("keys", ())),
        patch_merge_key=described.get("patch_merge_key"),
        retain_keys=described.get("retain_keys", False),
    )


def type_of(kind: Kind) -> Type:
    """Give the type of a kind's objects."""
    if kind.custom is not None:
        return kind.custom.described
    return Type("struct", struct=f"{kind.api_version}/{kind.kind}")


def struct_of(described: Type) -> Struct:
    """Give the fields of a struct type."""
    return described.inline or _structs().get(described.struct, _FREE)


def is_open(described: Type) -> bool:
    """Tell whether a struct takes fields beyond those it names, as custom objects may."""
    return struct_of(described).open


def child(described: Type, key: str) -> Type | None:
    """Give the type of one key of a map, struct or untyped value; None where the struct has no such field."""
    if described.name == "struct":
        found = struct_of(described).fields.get(key)
        return ANY if found is None and is_open(described) else found
    return described.element or ANY


def item(described: Type) -> Type:
    """Give the type of a list's items."""
    return described.element or ANY


def is_granular_list(described: Type, value: Any) -> bool:
    """Tell whether the list's items have owners of their own."""
    return isinstance(value, list) and described.name == "list" and not described.atomic


def is_granular_map(described: Type, value: Any) -> bool:
    """Tell whether the map's keys have owners of their own."""
    return isinstance(value, dict) and not described.atomic
