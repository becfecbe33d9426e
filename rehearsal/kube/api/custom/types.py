"""The types of a custom kind's fields, from its OpenAPI schema: what server-side apply merges by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.kube.api.schema import ANY, METADATA, Struct, Type

Schema = Mapping[str, Any]
_SCALARS = {"string", "integer", "number", "boolean"}
_PRESERVE = "x-kubernetes-preserve-unknown-fields"


def custom_type(schema: Schema) -> Type:
    """Give the type of a custom kind's objects."""
    fields = {name: _type(below) for name, below in (schema.get("properties") or {}).items()}
    fields |= {"apiVersion": Type("string"), "kind": Type("string"), "metadata": METADATA}
    return Type("struct", inline=Struct(fields, open=bool(schema.get(_PRESERVE)) or not schema))


def _type(schema: Schema) -> Type:
    if schema.get("x-kubernetes-int-or-string"):
        return Type("int-or-string")
    if schema.get("type") == "array":
        return _list(schema)
    if schema.get("type") == "object":
        return _map(schema)
    return Type(schema["type"]) if schema.get("type") in _SCALARS else ANY


def _list(schema: Schema) -> Type:
    relation = schema.get("x-kubernetes-list-type", "atomic")
    keys = tuple(schema.get("x-kubernetes-list-map-keys", ()))
    return Type(
        "list", _type(schema.get("items") or {}), atomic=relation == "atomic", relation=relation, keys=keys
    )


def _map(schema: Schema) -> Type:
    atomic = schema.get("x-kubernetes-map-type") == "atomic"
    values = schema.get("additionalProperties")
    if values:
        return Type("map", _type(values) if isinstance(values, Mapping) else ANY, atomic=atomic)
    properties = schema.get("properties") or {}
    if schema.get("x-kubernetes-embedded-resource"):
        properties = {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {},
            **properties,
        }
    fields = {name: _type(below) for name, below in properties.items()}
    defaults = {name: below["default"] for name, below in properties.items() if "default" in below}
    struct = Struct(fields, defaults=defaults, open=bool(schema.get(_PRESERVE)))
    return Type("struct", inline=struct, atomic=atomic)
