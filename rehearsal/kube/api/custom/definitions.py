"""CustomResourceDefinitions themselves: their defaults, and what the API server refuses in them."""

from __future__ import annotations

from collections.abc import Iterator

from rehearsal.kube.api.status import Cause, invalid, required
from rehearsal.kube.api.store import Object

_APPROVAL = "api-approved.kubernetes.io"
_PROTECTED = (
    f'protected groups must have approval annotation "{_APPROVAL}",'
    " see https://github.com/kubernetes/enhancements/pull/1111"
)


def default_definition(definition: Object) -> None:
    """Complete the names of a definition in place."""
    spec = definition["spec"]
    spec.setdefault("conversion", {"strategy": "None"})
    names = spec.get("names") or {}
    if names.get("kind"):
        names.setdefault("singular", names["kind"].lower())
        names.setdefault("listKind", f"{names['kind']}List")


def definition_causes(definition: Object) -> Iterator[Cause]:
    """Name what is wrong with a definition."""
    metadata, spec = definition["metadata"], definition["spec"]
    if metadata["name"] != f"{spec['names']['plural']}.{spec['group']}":
        yield invalid("metadata.name", metadata["name"], 'must be spec.names.plural+"."+spec.group')
    if sum(bool(version.get("storage")) for version in spec["versions"]) != 1:
        detail = "must have exactly one version marked as storage version"
        yield invalid("spec.versions", [version["name"] for version in spec["versions"]], detail)
    for index, version in enumerate(spec["versions"]):
        if not (version.get("schema") or {}).get("openAPIV3Schema"):
            yield required(f"spec.versions[{index}].schema.openAPIV3Schema", "schemas are required")
    protected = f".{spec['group']}".endswith((".k8s.io", ".kubernetes.io"))
    if protected and not (metadata.get("annotations") or {}).get(_APPROVAL):
        yield required(f"metadata.annotations[{_APPROVAL}]", _PROTECTED)
