"""Objects as a look would see them, without a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runbook.clients.kube.objects import Object, Reader, Reference
from runbook.engine.errors import RunbookError


class Seen(Reader):
    """Tells of some objects.

    Args:
        objects: what there is.
        hidden: kinds that the login may not read, and why.
        log: what each container said, or why its log cannot be read.
    """

    def __init__(
        self,
        *objects: Object,
        hidden: Mapping[str, RunbookError] | None = None,
        log: str | RunbookError = "",
    ) -> None:
        self._objects = objects
        self._hidden = hidden or {}
        self._log = log

    def get(self, reference: Reference) -> Object | None:
        self._refuse(reference.kind)
        return next((item for item in self._objects if Reference.to(item) == reference), None)

    def list(
        self,
        api_version: str,
        kind: str,
        namespace: str,
        labels: Mapping[str, str] | None = None,
        fields: str = "",
    ) -> list[Object]:
        self._refuse(kind)
        named = fields.removeprefix("involvedObject.name=")
        return [
            item
            for item in self._objects
            if item["kind"] == kind
            and namespace in {"", item["metadata"].get("namespace", namespace)}
            and (labels or {}).items() <= item["metadata"].get("labels", {}).items()
            and (not named or item["involvedObject"]["name"] == named)
        ]

    def logs(
        self, namespace: str, pod: str, container: str, *, previous: bool = False, tail: int | None = None
    ) -> str:
        if isinstance(self._log, RunbookError):
            raise self._log
        return self._log

    def _refuse(self, kind: str) -> None:
        if kind in self._hidden:
            raise self._hidden[kind]


def pod(
    name: str = "vllm-tpu-1-a", *, made: str = "15:42:00", phase: str = "Pending", **status: Any
) -> Object:
    """A Pod of the server."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "default",
            "creationTimestamp": f"2026-11-23T{made}Z",
            "labels": {"app": "vllm-tpu", "pod-template-hash": "1"},
        },
        "spec": {"containers": [], "nodeName": "tpu-1"},
        "status": {"phase": phase, **status},
    }


def waits(reason: str, message: str = "", **status: Any) -> Object:
    """The status of a container that waits."""
    return {"name": "server", "state": {"waiting": {"reason": reason, "message": message}}, **status}


def event(found: Object, reason: str, message: str, uid: str = "") -> Object:
    """What was told of an object of this name."""
    involved = {"kind": found["kind"], "name": found["metadata"]["name"], "uid": uid}
    return {
        "kind": "Event",
        "metadata": {"name": reason.lower(), "creationTimestamp": "2026-11-23T15:43:00Z"},
        "involvedObject": involved,
        "reason": reason,
        "message": message,
    }


def unscheduled_pod(chips: int = 4) -> Object:
    """A Pod of the server that the scheduler could place on no node."""
    refused = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "none fits"}
    found = pod("vllm-tpu-1-b", conditions=[refused])
    container = {"name": "server", "resources": {"requests": {"google.com/tpu": str(chips)}}}
    found["spec"] = {"containers": [container], "nodeSelector": {"tpu": "yes"}}
    return found


def node(name: str = "tpu-1", *, ready: bool = True) -> Object:
    """A node of the server's pool, with four chips."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {"tpu": "yes", "cloud.google.com/gke-nodepool": "tpu7x-pool"},
        },
        "spec": {},
        "status": {
            "allocatable": {"google.com/tpu": "4"},
            "conditions": [{"type": "Ready", "status": str(ready)}],
        },
    }
