"""A Pod's volumes as folders of this machine."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

from rehearsal.kube.api.kinds import kind_of
from rehearsal.kube.api.store import Object, Store
from rehearsal.kube.control.gcsfuse_webhook import DRIVER
from rehearsal.kube.node.environment import EnvironmentSource
from rehearsal.kube.node.gcsfuse import GcsFuse, MountFailed
from rehearsal.kube.told import Told

_SECRET_MODE = 0o600


class Mounts:
    """Sets up the volumes of Pods.

    Args:
        gcsfuse: mounts buckets.
        told: what a scenario says of mounts.
    """

    def __init__(self, store: Store, gcsfuse: GcsFuse, told: Told) -> None:
        self._store = store
        self._gcsfuse = gcsfuse
        self._told = told
        self._sources: dict[str, Callable[[Object, Object, Path], None]] = {
            "emptyDir": lambda _pod, _volume, _folder: None,
            "configMap": self._config_map,
            "secret": self._secret,
            "projected": self._projected,
            "downwardAPI": self._downward,
            "csi": self._inline,
            "persistentVolumeClaim": self._claim,
        }

    def mount(self, pod: Object, volume: Object, folder: Path) -> None:
        """Fill the folder of one volume.

        Raises:
            MountFailed: in the words of the Event FailedMount.
        """
        source = next((name for name in volume if name != "name"), "emptyDir")
        if source not in self._sources:
            raise MountFailed(f'the rehearsal has no volumes of type "{source}"', volume["name"])
        folder.mkdir(parents=True, exist_ok=True)
        self._sources[source](pod, volume, folder)

    def _config_map(self, pod: Object, volume: Object, folder: Path) -> None:
        reference = volume["configMap"]
        data = self._data(pod, "ConfigMap", reference.get("name", ""), reference, volume["name"])
        _write(folder, data, reference.get("items"))

    def _secret(self, pod: Object, volume: Object, folder: Path) -> None:
        reference = volume["secret"]
        data = self._data(pod, "Secret", reference.get("secretName", ""), reference, volume["name"])
        _write(folder, data, reference.get("items"), mode=_SECRET_MODE)

    def _data(self, pod: Object, kind: str, name: str, reference: Object, volume: str) -> dict[str, bytes]:
        found = self._store.get(kind_of(kind), pod["metadata"]["namespace"], name)
        if found is None and not reference.get("optional"):
            raise MountFailed(f'{kind.lower()} "{name}" not found', volume)
        binary = {
            key: base64.b64decode(value) for key, value in ((found or {}).get("binaryData") or {}).items()
        }
        plain = (found or {}).get("data") or {}
        if kind == "Secret":
            return {key: base64.b64decode(value) for key, value in plain.items()}
        return binary | {key: value.encode() for key, value in plain.items()}

    def _projected(self, pod: Object, volume: Object, folder: Path) -> None:
        for source in volume["projected"].get("sources") or []:
            if "configMap" in source:
                self._config_map(pod, {"name": volume["name"], **source}, folder)
            elif "secret" in source:
                secret = {**source["secret"], "secretName": source["secret"].get("name", "")}
                self._secret(pod, {"name": volume["name"], "secret": secret}, folder)
            elif "downwardAPI" in source:
                self._downward(pod, source, folder)

    def _downward(self, pod: Object, volume: Object, folder: Path) -> None:
        environment = EnvironmentSource(self._store, pod)
        for entry in volume["downwardAPI"].get("items") or []:
            if "fieldRef" in entry:
                content = environment.field(entry["fieldRef"]["fieldPath"])
                _write(folder, {entry["path"]: content.encode()}, None)

    def _inline(self, pod: Object, volume: Object, folder: Path) -> None:
        csi = volume["csi"]
        bucket = (csi.get("volumeAttributes") or {}).get("bucketName", "")
        self._mount_csi(pod, {**csi, "volumeHandle": bucket}, volume["name"], [], folder)

    def _claim(self, pod: Object, volume: Object, folder: Path) -> None:
        namespace = pod["metadata"]["namespace"]
        name = volume["persistentVolumeClaim"]["claimName"]
        claim = self._store.get(kind_of("PersistentVolumeClaim"), namespace, name)
        bound = (claim or {}).get("spec", {}).get("volumeName", "")
        persistent = self._store.get(kind_of("PersistentVolume"), None, bound)
        if persistent is None:
            raise MountFailed(f'persistentvolumeclaim "{name}" not found', volume["name"])
        spec = persistent["spec"]
        if "csi" not in spec:
            raise MountFailed("the rehearsal has no such PersistentVolumes, only those of CSI drivers", bound)
        self._mount_csi(pod, spec["csi"], bound, spec.get("mountOptions") or [], folder)

    def _mount_csi(self, pod: Object, csi: Object, name: str, options: list[str], folder: Path) -> None:
        if csi["driver"] != DRIVER:
            raise MountFailed(
                "kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: driver name"
                f" {csi['driver']} not found in the list of registered CSI drivers",
                name,
            )
        if cause := self._told.mount:
            raise MountFailed(cause, name)
        given = (csi.get("volumeAttributes") or {}).get("mountOptions", "")
        options = [*options, *filter(None, given.split(","))]
        self._gcsfuse.mount(pod, csi, name, options, folder)


def _write(folder: Path, data: dict[str, bytes], items: list[Object] | None, mode: int = 0o644) -> None:
    """Write the keys as files; `items` chooses keys and their paths."""
    chosen = {key: key for key in data} if items is None else {item["key"]: item["path"] for item in items}
    for key, path in chosen.items():
        if key in data:
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch(mode=mode)
            file.write_bytes(data[key])
