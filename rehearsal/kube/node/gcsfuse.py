"""Buckets mounted into Pods: what the Cloud Storage FUSE CSI driver checks, and the folder of its objects."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from rehearsal.kube.api.kinds import kind_of
from rehearsal.kube.api.store import Object, Store
from rehearsal.kube.control.gcsfuse_webhook import DRIVER, SIDECAR
from rehearsal.kube.facts import ClusterFacts
from rehearsal.kube.identity import has_workload_identity, members_at_mount
from rehearsal.world import StorageView, World

_OPTION = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9_-]*)(?:[:=].*)?", re.DOTALL)
_SECTIONS = re.compile(
    r"(?:cloud-profiler|debug|dummy-io|enable-\w+|file-cache|file-system|foreground|gcs-auth|gcs-connection"
    r"|gcs-retries|implicit-dirs|list|logging|metadata-cache|metrics|monitoring|mrd|only-dir|profile|read"
    r"|trace|write):.*",
    re.DOTALL,
)
_FLAG_NAMES = """
allow_other anonymous-access app-name async_read billing-project client-protocol debug_fuse
debug_gcs debug_mutex dir-mode disable-autoconfig enable-nonexistent-type-cache
experimental-local-file-cache file-mode gid implicit-dirs kernel-list-cache-ttl-secs
limit-bytes-per-sec limit-ops-per-sec log-format log-severity machine-type max-conns-per-host
max-idle-conns-per-host max-retry-sleep metadata-cache-ttl-secs negative-ttl-secs noatime nodev
noexec nosuid o only-dir read_ahead_kb rename-dir-limit retry-multiplier ro rw
sequential-read-size-mb stat-cache-capacity stat-cache-max-size-mb stat-cache-ttl token-url
type-cache-max-size-mb type-cache-ttl uid workload-identity-credential-file
"""
_FLAGS = frozenset(_FLAG_NAMES.split())


class MountFailed(Exception):  # noqa: N818 - FailedMount is the kubelet's reason
    """A volume cannot be set up.

    Args:
        cause: in the driver's or the kubelet's words.
        volume: its name; the PersistentVolume's where there is one.
    """

    def __init__(self, cause: str, volume: str) -> None:
        super().__init__(f'MountVolume.SetUp failed for volume "{volume}" : {cause}')
        self.cause = cause


class SidecarFailed(MountFailed):
    """The driver let the Pod start, but the sidecar cannot read the bucket: the volume stays empty."""


class GcsFuse:
    """The CSI driver on the nodes of one cluster."""

    def __init__(self, world: World, store: Store, facts: ClusterFacts) -> None:
        self._world = world
        self._store = store
        self._facts = facts

    def mount(self, pod: Object, csi: Object, name: str, options: list[str], folder: Path) -> None:
        """Make the folder show the bucket's objects, below `only-dir` where that is given.

        Args:
            csi: with volumeHandle, the bucket, and volumeAttributes.
            name: the volume's name, for messages.
            options: gcsfuse's flags as mountOptions write them.

        Raises:
            MountFailed: the driver refuses.
            SidecarFailed: skipCSIBucketAccessCheck moved the refusal to the sidecar.
        """
        if refusal := self._refusal(pod, options):
            raise MountFailed(refusal, name)
        bucket = csi["volumeHandle"]
        if trouble := self._trouble(pod, bucket):
            code, cause = trouble
            attributes = csi.get("volumeAttributes") or {}
            if attributes.get("skipCSIBucketAccessCheck") == "true":
                raise SidecarFailed(
                    f"rpc error: code = {code} desc = the sidecar container failed with error: {cause}", name
                )
            raise MountFailed(
                f'rpc error: code = {code} desc = failed to get GCS bucket "{bucket}": {cause}', name
            )
        prefix = _only_dir(options)
        show(self._storage().files(bucket, prefix), prefix, folder)

    def _storage(self) -> StorageView:
        if self._world.storage is None:
            raise RuntimeError("the stand-in was started without its Cloud Storage")
        return self._world.storage

    def _refusal(self, pod: Object, options: list[str]) -> str:
        if self._store.get(kind_of("CSIDriver"), None, DRIVER) is None:
            return (
                "kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: driver name"
                f" {DRIVER} not found in the list of registered CSI drivers"
            )
        if not has_workload_identity(pod, self._facts):
            return (
                "rpc error: code = FailedPrecondition desc = Workload Identity Federation is not enabled"
                " on node. Please make sure this is enabled on both cluster and node pool level"
                " (https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity)"
            )
        containers = [*(pod["spec"].get("initContainers") or []), *pod["spec"]["containers"]]
        if not any(container["name"] == SIDECAR for container in containers):
            return (
                "rpc error: code = FailedPrecondition desc = failed to find the sidecar container in Pod spec"
            )
        unknown = next((option for option in options if not _is_known(option)), None)
        if unknown is not None:
            flag = re.split("[:=]", unknown)[0]
            return (
                "rpc error: code = InvalidArgument desc = the sidecar container failed with error:"
                f" Incorrect Usage. flag provided but not defined: -{flag}"
            )
        return ""

    def _trouble(self, pod: Object, bucket: str) -> tuple[str, str] | None:
        """Say what keeps the Pod's ServiceAccount from the bucket, as gRPC code and words."""
        storage = self._storage()
        if not storage.bucket_exists(bucket):
            return "NotFound", "storage: bucket doesn't exist"
        members = list(members_at_mount(pod, self._store, self._facts))
        if any(storage.allowed(bucket, member, "storage.objects.list") for member in members):
            return None
        return "PermissionDenied", (
            f"googleapi: Error 403: {members[0]} does not have storage.objects.list access to the"
            " Google Cloud Storage bucket. Permission 'storage.objects.list' denied on resource"
            " (or it may not exist)., forbidden"
        )


def show(files: Mapping[str, Path], prefix: str, folder: Path) -> None:
    """Make a folder show exactly these objects, under their names without the prefix."""
    wanted = {name.removeprefix(prefix): path for name, path in files.items() if name != prefix}
    folder.mkdir(parents=True, exist_ok=True)
    for present in sorted(folder.rglob("*"), reverse=True):
        relative = present.relative_to(folder).as_posix()
        if present.is_dir():
            if not any(present.iterdir()):
                present.rmdir()
        elif relative not in wanted or not present.samefile(wanted[relative]):
            present.unlink()
    for name, path in wanted.items():
        target = folder / name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            _link(path, target)


def _link(path: Path, target: Path) -> None:
    """Give a file a second name; where that cannot be, point to it."""
    try:
        os.link(path, target)
    except OSError:
        target.symlink_to(path)


def _only_dir(options: list[str]) -> str:
    """Give the prefix of the objects that are mounted, with its slash."""
    for option in options:
        name, _, value = option.replace("=", ":", 1).partition(":")
        if name == "only-dir" and value:
            return value.strip("/") + "/"
    return ""


def _is_known(option: str) -> bool:
    match = _OPTION.fullmatch(option)
    return bool(_SECTIONS.fullmatch(option)) or (match is not None and match["name"] in _FLAGS)
