"""What the API server fills in where an object says nothing, kind by kind."""

from __future__ import annotations

import base64
from collections.abc import Callable

from rehearsal.kube.api.custom.defaults import set_custom_defaults
from rehearsal.kube.api.custom.definitions import default_definition
from rehearsal.kube.api.kinds import Kind
from rehearsal.kube.api.pod_defaults import default_pod, default_pod_spec, fill
from rehearsal.kube.api.quantities import canonical
from rehearsal.kube.api.schema import Type, child, item, struct_of, type_of
from rehearsal.kube.api.service_defaults import default_service
from rehearsal.kube.api.store import Object

_NO_LIMIT = 2**31 - 1
_QUARTER = {"maxSurge": "25%", "maxUnavailable": "25%"}
_CSI_DRIVER = {
    "attachRequired": True,
    "podInfoOnMount": False,
    "requiresRepublish": False,
    "storageCapacity": False,
    "seLinuxMount": False,
    "fsGroupPolicy": "ReadWriteOnceWithFSType",
    "volumeLifecycleModes": ["Persistent"],
}


def set_defaults(kind: Kind, obj: Object) -> None:
    """Complete an object in place and write its quantities in their canonical form."""
    if kind.custom is not None:
        set_custom_defaults(kind.custom.schema, obj)
        return
    canonical_quantities(type_of(kind), obj)
    complete = _DEFAULTS.get(kind.kind)
    if complete is not None:
        if "spec" in struct_of(type_of(kind)).fields:
            obj.setdefault("spec", {})
        complete(obj)


def canonical_quantities(described: Type, value: object) -> None:
    """Rewrite every quantity below a value; one that cannot be read stays, for validation to refuse."""
    if isinstance(value, dict) and described.name in {"struct", "map"}:
        for key, below in value.items():
            below_type = child(described, key)
            if below_type is None:
                continue
            if below_type.name == "quantity":
                value[key] = _canonical_or_same(below)
            else:
                canonical_quantities(below_type, below)
    elif isinstance(value, list) and described.name == "list":
        for entry in value:
            canonical_quantities(item(described), entry)


def _canonical_or_same(value: str | float) -> str | float:
    try:
        return canonical(value)
    except ValueError:
        return value


def _template(obj: Object) -> None:
    template = obj["spec"].setdefault("template", {})
    template.setdefault("metadata", {})
    default_pod_spec(template.setdefault("spec", {}))


def _deployment(obj: Object) -> None:
    spec = obj["spec"]
    fill(spec, {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600, "strategy": {}})
    fill(spec["strategy"], {"type": "RollingUpdate"})
    if spec["strategy"]["type"] == "RollingUpdate":
        fill(spec["strategy"], {"rollingUpdate": {}})
        fill(spec["strategy"]["rollingUpdate"], _QUARTER)
    _template(obj)


def _replica_set(obj: Object) -> None:
    fill(obj["spec"], {"replicas": 1})
    _template(obj)


def _stateful_set(obj: Object) -> None:
    fill(obj["spec"], {
        "replicas": 1,
        "revisionHistoryLimit": 10,
        "podManagementPolicy": "OrderedReady",
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
    })  # fmt: skip
    _template(obj)


def _daemon_set(obj: Object) -> None:
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
    fill(obj["spec"], {"revisionHistoryLimit": 10, "updateStrategy": rolling})
    _template(obj)


def _job(obj: Object) -> None:
    spec = obj["spec"]
    if spec.get("completions") is None and spec.get("parallelism") is None:
        fill(spec, {"completions": 1})
    fill(spec, {
        "parallelism": 1,
        "backoffLimit": 6 if spec.get("backoffLimitPerIndex") is None else _NO_LIMIT,
        "completionMode": "NonIndexed",
        "manualSelector": False,
        "podReplacementPolicy": "Failed" if "podFailurePolicy" in spec else "TerminatingOrFailed",
        "suspend": False,
    })  # fmt: skip
    for rule in (spec.get("podFailurePolicy") or {}).get("rules") or []:
        for pattern in rule.get("onPodConditions") or []:
            fill(pattern, {"status": "True"})
    _template(obj)
    if not spec["manualSelector"] and "selector" not in spec and obj["metadata"].get("uid"):
        _select_own_pods(obj)


def _select_own_pods(job: Object) -> None:
    uid, name = job["metadata"]["uid"], job["metadata"]["name"]
    job["spec"]["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    labels = job["spec"]["template"]["metadata"].setdefault("labels", {})
    for prefix in ("batch.kubernetes.io/", ""):
        labels.update({f"{prefix}controller-uid": uid, f"{prefix}job-name": name})


def _pod(obj: Object) -> None:
    default_pod_spec(obj["spec"])
    default_pod(obj)


def _persistent_volume(obj: Object) -> None:
    fill(obj["spec"], {"persistentVolumeReclaimPolicy": "Retain", "volumeMode": "Filesystem"})
    if claim := obj["spec"].get("claimRef"):
        fill(claim, {"kind": "PersistentVolumeClaim", "apiVersion": "v1"})
    fill(obj.setdefault("status", {}), {"phase": "Pending"})


def _persistent_volume_claim(obj: Object) -> None:
    fill(obj["spec"], {"volumeMode": "Filesystem"})
    fill(obj.setdefault("status", {}), {"phase": "Pending"})


def _namespace(obj: Object) -> None:
    metadata = obj["metadata"]
    if metadata.get("name"):
        metadata.setdefault("labels", {})["kubernetes.io/metadata.name"] = metadata["name"]
    if "deletionTimestamp" not in metadata:
        fill(obj.setdefault("spec", {}), {"finalizers": ["kubernetes"]})
        fill(obj.setdefault("status", {}), {"phase": "Active"})


def _secret(obj: Object) -> None:
    fill(obj, {"type": "Opaque"})
    for key, text in obj.pop("stringData", {}).items():
        obj.setdefault("data", {})[key] = base64.b64encode(text.encode()).decode()


def _csi_driver(obj: Object) -> None:
    fill(obj.setdefault("spec", {}), _CSI_DRIVER)


def _storage_class(obj: Object) -> None:
    fill(obj, {"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"})


_DEFAULTS: dict[str, Callable[[Object], None]] = {
    "CSIDriver": _csi_driver,
    "CustomResourceDefinition": default_definition,
    "DaemonSet": _daemon_set,
    "Deployment": _deployment,
    "Job": _job,
    "Namespace": _namespace,
    "PersistentVolume": _persistent_volume,
    "PersistentVolumeClaim": _persistent_volume_claim,
    "Pod": _pod,
    "ReplicaSet": _replica_set,
    "Secret": _secret,
    "Service": default_service,
    "StatefulSet": _stateful_set,
    "StorageClass": _storage_class,
}
