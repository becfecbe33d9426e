"""Versions of GKE: what is too old for the machines, or for the mount, is told with the minimum."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runbook.engine.errors import RefusedError
from runbook.steps.context import Context
from runbook.steps.gke.reads import Cluster, cluster_flags, is_autopilot

MOUNT_OPTIONS = {
    "read_ahead_kb": "1.32.2-gke.1297001",
    "enable-buffered-read": "1.34.0-gke.2011000",
}
"""Options of the mount and the oldest version whose driver takes them (Cloud Storage FUSE CSI driver)."""
VOLUME_ATTRIBUTES = {"gcsfuseMetadataPrefetchOnMount": "1.32.1-gke.1357001"}
"""The same for volumeAttributes that are "true"."""


def numbers(version: str) -> tuple[int, ...]:
    """Read a version such as 1.34.0-gke.2201000, so that versions can be compared."""
    return tuple(int(number) for number in re.findall(r"\d+", version))


def is_older(found: Cluster, minimum: str) -> bool:
    """Tell whether a cluster's control plane is older than a version; one that is only planned is not."""
    has = found.get("currentMasterVersion")
    return bool(has) and numbers(str(has)) < numbers(minimum)


def machine_minimum(context: Context, found: Cluster) -> str:
    """Name the oldest version that knows the TPU machine type, in a cluster of this mode (D9)."""
    tpu = context.variables.tpu
    return tpu.minimum_autopilot_version if is_autopilot(found) else tpu.minimum_version


def mount_minimums(context: Context) -> Iterator[tuple[str, str]]:
    """List what the mount uses that not every version has, each with the oldest version that has it."""
    volume = context.variables.volume
    for option in volume.mount_options:
        for word in re.split("[:=]", option):
            if word in MOUNT_OPTIONS:
                yield option, MOUNT_OPTIONS[word]
    for name, value in volume.attributes.items():
        if name in VOLUME_ATTRIBUTES and value == "true":
            yield name, VOLUME_ATTRIBUTES[name]


def require_machines(context: Context, found: Cluster) -> None:
    """Stop where the cluster is too old for the TPU machines.

    Raises:
        RefusedError: it is; the minimum is named.
    """
    _require(context, found, context.variables.tpu.machine_type, machine_minimum(context, found))


def require_mount(context: Context, found: Cluster) -> None:
    """Stop where the cluster's driver does not know an option of the mount: no Pod would start.

    Raises:
        RefusedError: it is too old; the minimum is named.
    """
    for used, minimum in mount_minimums(context):
        _require(context, found, used, minimum)


def _require(context: Context, found: Cluster, what: str, minimum: str) -> None:
    if not is_older(found, minimum):
        return
    upgrade = ("gcloud", "container", "clusters", "upgrade", found["name"], "--master")
    raise RefusedError(
        f"cluster {found['name']} has version {found['currentMasterVersion']}; {what} needs {minimum}",
        remedy=" ".join([*upgrade, f"--cluster-version={minimum}", *cluster_flags(context)]),
    )
