"""OpenAPI v3: what kubectl looks up (fields, list keys, field validation), without the prose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.kube.api.kinds import Kind, kinds_of_group
from rehearsal.kube.api.schema import METADATA, Type, struct_of, type_of

_QUERY = [
    {"name": name, "in": "query", "schema": {"type": kind, "uniqueItems": True}}
    for name, kind in (
        ("dryRun", "string"), ("fieldManager", "string"), ("fieldValidation", "string"), ("force", "boolean"),
    )
]  # fmt: skip
_STRATEGIC = "application/strategic-merge-patch+json"
_PATCHES = (
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    _STRATEGIC,
)
_SCALARS = {"quantity": {"type": "string"}, "int-or-string": {"format": "int-or-string", "type": "string"}}


def index(kinds: tuple[Kind, ...]) -> dict[str, Any]:
    """Answer /openapi/v3: where each group's document is."""
    return {
        "paths": {
            path: {"serverRelativeURL": f"/openapi/v3/{path}"}
            for path in sorted({_prefix(kind.group, kind.version) for kind in kinds})
        }
    }


def document(kinds: tuple[Kind, ...], group: str, version: str) -> dict[str, Any]:
    """Answer /openapi/v3/apis/GROUP/VERSION."""
    served = list(kinds_of_group(kinds, group, version))
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "unversioned"},
        "paths": {_path(kind): _operations(kind) for kind in served},
        "components": {"schemas": _schemas(served)},
    }


def _identity(kind: Kind) -> dict[str, str]:
    return {"group": kind.group, "kind": kind.kind, "version": kind.version}


def _prefix(group: str, version: str) -> str:
    return f"apis/{group}/{version}" if group else f"api/{version}"


def _path(kind: Kind) -> str:
    scope = "namespaces/{namespace}/" if kind.namespaced else ""
    return f"/{_prefix(kind.group, kind.version)}/{scope}{kind.plural}/{{name}}"


def _operations(kind: Kind) -> dict[str, Any]:
    identity = _identity(kind)
    patches = [patch for patch in _PATCHES if kind.custom is None or patch != _STRATEGIC]
    schema = {"$ref": f"#/components/schemas/{_schema_name(kind)}"}
    return {
        "get": {
            "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": schema}}}},
            "x-kubernetes-action": "get",
            "x-kubernetes-group-version-kind": identity,
        },
        "patch": {
            "parameters": _QUERY,
            "requestBody": {"content": {patch: {"schema": {"type": "object"}} for patch in patches}},
            "responses": {"200": {"description": "OK"}},
            "x-kubernetes-action": "patch",
            "x-kubernetes-group-version-kind": identity,
        },
    }


def _schemas(kinds: list[Kind]) -> dict[str, Any]:
    schemas: dict[str, Any] = {}
    for kind in kinds:
        if kind.custom is None:
            _add(schemas, type_of(kind))
        else:
            schemas[_schema_name(kind)] = _custom_schema(schemas, kind.custom.schema)
        schemas[_schema_name(kind)]["x-kubernetes-group-version-kind"] = [_identity(kind)]
    return schemas


def _schema_name(kind: Kind) -> str:
    if kind.custom is None:
        return _name(type_of(kind))
    return ".".join([*reversed(kind.group.split(".")), kind.version, kind.kind])


def _custom_schema(schemas: dict[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Give the definition's own schema, with the metadata that every object has."""
    _add(schemas, METADATA)
    metadata = {"metadata": {"allOf": [{"$ref": _reference(METADATA)}]}}
    return {"type": "object", **schema, "properties": {**(schema.get("properties") or {}), **metadata}}


def _name(described: Type) -> str:
    return "io.k8s.api." + described.struct.replace("/", ".")


def _reference(described: Type) -> str:
    return f"#/components/schemas/{_name(described)}"


def _add(schemas: dict[str, Any], described: Type) -> None:
    """Add a struct and all that it reaches."""
    if _name(described) in schemas:
        return
    struct = struct_of(described)
    schema: dict[str, Any] = {"type": "object"}
    schemas[_name(described)] = schema
    schema["properties"] = {name: _schema(schemas, field) for name, field in struct.fields.items()}
    if struct.required:
        schema["required"] = list(struct.required)


def _schema(schemas: dict[str, Any], described: Type) -> dict[str, Any]:
    if described.name == "struct":
        _add(schemas, described)
        schema: dict[str, Any] = {"allOf": [{"$ref": _reference(described)}]}
        return {**schema, "x-kubernetes-patch-strategy": "retainKeys"} if described.retain_keys else schema
    if described.name == "map":
        return {"type": "object", "additionalProperties": _schema(schemas, described.element or Type("any"))}
    if described.name == "list":
        return {
            "type": "array",
            "items": _schema(schemas, described.element or Type("any")),
            **_merging(described),
        }
    return dict(
        _SCALARS.get(described.name) or {"type": "object" if described.name == "any" else described.name}
    )


def _merging(described: Type) -> dict[str, Any]:
    extensions: dict[str, Any] = {"x-kubernetes-list-type": described.relation}
    if described.keys:
        extensions["x-kubernetes-list-map-keys"] = list(described.keys)
    if described.patch_merge_key is not None:
        retain = ",retainKeys" if described.retain_keys else ""
        extensions["x-kubernetes-patch-strategy"] = f"merge{retain}"
        if described.patch_merge_key:
            extensions["x-kubernetes-patch-merge-key"] = described.patch_merge_key
    return extensions
