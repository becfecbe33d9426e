"""Troubles that no text tells: they are seen by how objects, operations and this machine are."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from typing import Any, Final

from runbook.clients.kube.kubeconfig import PLUGIN
from runbook.clients.kube.objects import Object
from runbook.doctor.diagnosis.pods import SIDECAR, name_of
from runbook.doctor.diagnosis.snapshot import Snapshot
from runbook.doctor.diagnosis.texts import is_about_cluster, named
from runbook.steps.symptoms.evidence import Evidence, Source

_UNFINISHED: Final = frozenset({"PENDING", "RUNNING", "ABORTING"})
_CACHES: Final = frozenset({"HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"})
_SHARDS: Final = "Loading safetensors checkpoint shards:"
_SLOW: Final = re.compile(r"\[(\d+:\d\d:\d\d|[1-9]\d:\d\d)<")
"""tqdm's clock after ten minutes."""


def sidecar_never_ends(seen: Snapshot) -> Iterator[Evidence]:
    """Find Pods whose sidecar is a plain init container: it never ends, so nothing after it starts."""
    for pod in seen.troubled_pods:
        for container in pod["spec"].get("initContainers") or ():
            if container["name"] == SIDECAR and container.get("restartPolicy") != "Always":
                text = f"PodInitializing; its init container {SIDECAR} has no restartPolicy: Always"
                yield Evidence(Source.STATE, name_of(pod), text)


def operation_running(seen: Snapshot) -> Iterator[Evidence]:
    """Find the operation that holds the cluster."""
    for operation in seen.operations:
        if operation.get("status") in _UNFINISHED and is_about_cluster(seen, operation):
            text = f"{operation['status']} since {operation.get('startTime')}"
            yield Evidence(Source.STATE, f"Cluster is running {named(operation)}", text)


def plugin_missing(seen: Snapshot) -> Iterator[Evidence]:
    """Find that kubectl logs in by a plug-in that this machine does not have: by the user of its context."""
    user = seen.kubectl_user
    command = str(user.section("exec").get("command", "")) if user else ""
    if user and command.endswith(PLUGIN) and shutil.which(command) is None:
        yield Evidence(Source.STATE, f"kubeconfig user {user.name}", f"exec: executable {command} not found")


def cache_on_the_mount(seen: Snapshot) -> Iterator[Evidence]:
    """Find servers that load for long from a cache or a download folder on the mounted bucket."""
    troubled = {pod["metadata"]["uid"] for pod in seen.troubled_pods}
    for log in seen.logs:
        spec = _container(log.pod, log.container)
        cache = _cache_on_a_bucket(spec, _buckets(log.pod, spec)) if spec else ""
        if log.previous or not cache or log.pod["metadata"]["uid"] not in troubled:
            continue
        shards = [line for line in log.text.splitlines() if _SHARDS in line]
        if shards and _SLOW.search(shards[-1]):
            yield Evidence(Source.STATE, name_of(log.pod), f"reads the model from {cache}: {shards[-1]}")


def _container(pod: Object, name: str) -> dict[str, Any] | None:
    return next((item for item in pod["spec"]["containers"] if item["name"] == name), None)


def _buckets(pod: Object, container: dict[str, Any]) -> tuple[str, ...]:
    """Give the mount paths of a container's volumes that are not of the node itself."""
    volumes = {
        volume["name"]
        for volume in pod["spec"].get("volumes") or ()
        if {"persistentVolumeClaim", "csi"} & volume.keys()
    }
    mounts = container.get("volumeMounts") or ()
    return tuple(mount["mountPath"].rstrip("/") + "/" for mount in mounts if mount["name"] in volumes)


def _cache_on_a_bucket(container: dict[str, Any], buckets: tuple[str, ...]) -> str:
    """Name the setting that points into a bucket, unless the streamer reads in large pieces."""
    arguments = " ".join([*(container.get("command") or ()), *(container.get("args") or ())])
    if "runai_streamer" in arguments:
        return ""
    folders = {entry["name"]: str(entry.get("value", "")) for entry in container.get("env") or ()}
    settings = {name: folder for name, folder in folders.items() if name in _CACHES}
    settings |= dict(re.findall(r"(--download-dir)[= ](\S+)", arguments))
    return next(
        (f"{name}={folder}" for name, folder in settings.items() if f"{folder}/".startswith(buckets)), ""
    )
