"""OpenAPI v3: as much as kubectl looks up (which kinds can be patched, with field validation)."""

from __future__ import annotations

from typing import Any

from rehearsal.kube.api.kinds import Kind, kinds_of_group

_QUERY = [
    {"name": name, "in": "query", "schema": {"type": kind, "uniqueItems": True}}
    for name, kind in (
        ("dryRun", "string"), ("fieldManager", "string"), ("fieldValidation", "string"), ("force", "boolean"),
    )
]  # fmt: skip
_PATCHES = (
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)


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
    paths, schemas = {}, {}
    for kind in kinds_of_group(kinds, group, version):
        identity = [{"group": kind.group, "kind": kind.kind, "version": kind.version}]
        schemas[f"{kind.api_version}.{kind.kind}".replace("/", ".")] = {
            "type": "object",
            "x-kubernetes-group-version-kind": identity,
        }
        scope = "namespaces/{namespace}/" if kind.namespaced else ""
        paths[f"/{_prefix(group, version)}/{scope}{kind.plural}/{{name}}"] = {
            "patch": {
                "parameters": _QUERY,
                "requestBody": {"content": {patch: {"schema": {"type": "object"}} for patch in _PATCHES}},
                "responses": {"200": {"description": "OK"}},
                "x-kubernetes-action": "patch",
                "x-kubernetes-group-version-kind": identity[0],
            }
        }
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "unversioned"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _prefix(group: str, version: str) -> str:
    return f"apis/{group}/{version}" if group else f"api/{version}"
