"""The scale subresource: how many replicas, seen and set without the rest of the object."""

from __future__ import annotations

from typing import Any

from rehearsal.kube.api.kinds import Kind
from rehearsal.kube.api.store import Object, clone
from rehearsal.kube.api.table_workloads import selector_text

_METADATA = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
_PATHS = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}


def scale_of(kind: Kind, obj: Object) -> Object:
    """Give the Scale object of a Deployment, ReplicaSet, StatefulSet or custom object."""
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: obj["metadata"][key] for key in _METADATA if key in obj["metadata"]},
        "spec": {"replicas": _at(obj, _path(kind, "specReplicasPath")) or 0},
        "status": {
            "replicas": _at(obj, _path(kind, "statusReplicasPath")) or 0,
            "selector": _selector(kind, obj),
        },
    }


def with_scale(kind: Kind, obj: Object, scale: Object) -> Object:
    """Give an object the replicas, and the stated version, of a Scale object."""
    scaled = clone(obj)
    *parents, last = _path(kind, "specReplicasPath")
    part = scaled
    for name in parents:
        part = part.setdefault(name, {})
    part[last] = scale.get("spec", {}).get("replicas", 0)
    version = scale.get("metadata", {}).get("resourceVersion")
    scaled["metadata"]["resourceVersion"] = version or obj["metadata"]["resourceVersion"]
    return scaled


def _path(kind: Kind, name: str) -> list[str]:
    found = (kind.custom.scale if kind.custom else _PATHS).get(name) or _PATHS[name]
    return found.strip(".").split(".")


def _at(obj: Object, path: list[str]) -> Any:
    found: Any = obj
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _selector(kind: Kind, obj: Object) -> str:
    if kind.custom is None:
        return selector_text(obj["spec"].get("selector", {}))
    path = kind.custom.scale.get("labelSelectorPath", "")
    return str((path and _at(obj, path.strip(".").split("."))) or "")
