"""The webhook of the Cloud Storage FUSE CSI driver: it injects the containers that do the mounting."""

from __future__ import annotations

from collections.abc import Iterator

from rehearsal.kube.api.kinds import kind_of
from rehearsal.kube.api.store import Object, Store
from rehearsal.kube.facts import ClusterFacts

DRIVER = "gcsfuse.csi.storage.gke.io"
VOLUMES_ANNOTATION = "gke-gcsfuse/volumes"
SIDECAR = "gke-gcsfuse-sidecar"
PREFETCH = "gke-gcsfuse-metadata-prefetch"
_TAG = "v1.21.4-gke.0"
_SIDECAR_IMAGE = f"gke.gcr.io/gcs-fuse-csi-driver-sidecar-mounter:{_TAG}"
_PREFETCH_IMAGE = f"gke.gcr.io/gcs-fuse-csi-driver-metadata-prefetch:{_TAG}"
_REQUESTS = {"cpu": "250m", "memory": "256Mi", "ephemeral-storage": "5Gi"}
_SCRATCH = {
    "gke-gcsfuse-tmp": "/gcsfuse-tmp",
    "gke-gcsfuse-buffer": "/gcsfuse-buffer",
    "gke-gcsfuse-cache": "/gcsfuse-cache",
}


class GcsFuseWebhook:
    """Injects sidecars into Pods that are annotated for it, while the add-on is on."""

    def __init__(self, store: Store, facts: ClusterFacts) -> None:
        self._store = store
        self._facts = facts

    def inject(self, pod: Object) -> None:
        """Add the sidecar, and the prefetching one where a volume asks for it, as first init containers."""
        annotations = pod["metadata"].get("annotations") or {}
        if not self._facts.gcsfuse or annotations.get(VOLUMES_ANNOTATION) != "true":
            return
        containers = pod["spec"].get("initContainers") or []
        if any(entry["name"] == SIDECAR for entry in containers):
            return
        volumes = pod["spec"].setdefault("volumes", [])
        present = {entry["name"] for entry in volumes}
        volumes.extend({"name": name, "emptyDir": {}} for name in _SCRATCH if name not in present)
        pod["spec"]["initContainers"] = [_sidecar(annotations), *self._prefetch(pod), *containers]

    def _prefetch(self, pod: Object) -> Iterator[Object]:
        volumes = [entry["name"] for entry in pod["spec"]["volumes"] if self._prefetches(pod, entry)]
        if volumes:
            container = _container(PREFETCH, _PREFETCH_IMAGE)
            container["resources"] = {
                "requests": {"cpu": "10m", "memory": "10Mi"},
                "limits": {"cpu": "50m", "memory": "250Mi"},
            }
            container["volumeMounts"] = [
                {"name": name, "mountPath": f"/volumes/{name}", "readOnly": True} for name in volumes
            ]
            yield container

    def _prefetches(self, pod: Object, volume: Object) -> bool:
        csi = volume.get("csi")
        if "persistentVolumeClaim" in volume:
            name = volume["persistentVolumeClaim"]["claimName"]
            claim = self._store.get(kind_of("PersistentVolumeClaim"), pod["metadata"]["namespace"], name)
            bound = (claim or {}).get("spec", {}).get("volumeName", "")
            persistent = self._store.get(kind_of("PersistentVolume"), None, bound)
            csi = (persistent or {}).get("spec", {}).get("csi")
        if not csi or csi.get("driver") != DRIVER:
            return False
        return (csi.get("volumeAttributes") or {}).get("gcsfuseMetadataPrefetchOnMount") == "true"


def _sidecar(annotations: dict[str, str]) -> Object:
    container = _container(SIDECAR, _SIDECAR_IMAGE)
    requests, limits = dict(_REQUESTS), {}
    for resource in _REQUESTS:
        limit = annotations.get(f"gke-gcsfuse/{resource}-limit", "0")
        if limit != "0":
            limits[resource] = requests[resource] = limit
        requests[resource] = annotations.get(f"gke-gcsfuse/{resource}-request", requests[resource])
    container["resources"] = {"requests": requests} | ({"limits": limits} if limits else {})
    container["args"] = ["--v=5"]
    container["env"] = [{"name": "NATIVE_SIDECAR", "value": "TRUE"}]
    container["volumeMounts"] = [{"name": name, "mountPath": path} for name, path in _SCRATCH.items()]
    return container


def _container(name: str, image: str) -> Object:
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "restartPolicy": "Always",
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsGroup": 65534,
            "runAsNonRoot": True,
            "runAsUser": 65534,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
