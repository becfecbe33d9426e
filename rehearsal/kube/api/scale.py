"""The scale subresource: how many replicas, seen and set without the rest of the object."""

from __future__ import annotations

from rehearsal.kube.api.store import Object
from rehearsal.kube.api.table_workloads import selector_text

_METADATA = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def scale_of(obj: Object) -> Object:
    """Give the Scale object of a Deployment, ReplicaSet or StatefulSet."""
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: obj["metadata"][key] for key in _METADATA if key in obj["metadata"]},
        "spec": {"replicas": obj["spec"].get("replicas", 0)},
        "status": {
            "replicas": obj.get("status", {}).get("replicas", 0),
            "selector": selector_text(obj["spec"].get("selector", {})),
        },
    }


def with_scale(obj: Object, scale: Object) -> Object:
    """Give an object the replicas, and the stated version, of a Scale object."""
    scaled = {**obj, "spec": {**obj["spec"], "replicas": scale.get("spec", {}).get("replicas", 0)}}
    version = scale.get("metadata", {}).get("resourceVersion")
    scaled["metadata"] = {**obj["metadata"], "resourceVersion": version or obj["metadata"]["resourceVersion"]}
    return scaled
