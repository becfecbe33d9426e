"""Fields that may not change once an object is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

from rehearsal.kube.api.kinds import Kind
from rehearsal.kube.api.quantities import amount
from rehearsal.kube.api.status import Cause, forbidden, forbidden_field, invalid, invalid_object
from rehearsal.kube.api.store import Object

_IMMUTABLE = "field is immutable"
_POD_RULE = (
    "pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to"
    " existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was"
    " previously negative)"
)
_CLAIM_RULE = (
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound"
    " claims"
)
_GROW_RULE = (
    "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must"
    " support resize"
)
_VOLUME_MUTABLE = {
    "accessModes", "capacity", "claimRef", "mountOptions", "nodeAffinity", "persistentVolumeReclaimPolicy",
    "storageClassName", "volumeAttributesClassName", "volumeMode",
}  # fmt: skip
_POD_MUTABLE = {"activeDeadlineSeconds", "terminationGracePeriodSeconds", "tolerations", "nodeName"}


def check_immutable(kind: Kind, old: Object, new: Object) -> None:
    """Compare an object with the one it replaces.

    Raises:
        ApiError: 422 with a cause for each field that may not change; 403 where a claim would grow.
    """
    check = _CHECKS.get(kind.kind)
    causes = list(check(old, new)) if check else []
    if causes:
        raise invalid_object(kind, new["metadata"]["name"], causes)
    if kind.kind == "PersistentVolumeClaim" and _requested(new) > _requested(old):
        raise forbidden(kind, new["metadata"]["name"], _GROW_RULE)


def _selector(old: Object, new: Object) -> Iterator[Cause]:
    if old["spec"].get("selector") != new["spec"].get("selector"):
        yield invalid("spec.selector", new["spec"].get("selector", {}), _IMMUTABLE)


def _job(old: Object, new: Object) -> Iterator[Cause]:
    yield from _selector(old, new)
    if old["spec"]["template"] != new["spec"]["template"] and not old["spec"].get("suspend"):
        yield Cause(
            "spec.template", "FieldValueInvalid", f"Invalid value: core.PodTemplateSpec{{...}}: {_IMMUTABLE}"
        )
    for field in ("completions", "completionMode", "podFailurePolicy", "backoffLimitPerIndex"):
        if old["spec"].get(field) != new["spec"].get(field):
            yield invalid(f"spec.{field}", new["spec"].get(field), _IMMUTABLE)


def _pod(old: Object, new: Object) -> Iterator[Cause]:
    before, after = _pod_fixed(old["spec"]), _pod_fixed(new["spec"])
    added = new["spec"].get("tolerations", [])
    kept = all(toleration in added for toleration in old["spec"].get("tolerations", []))
    moved = old["spec"].get("nodeName", new["spec"].get("nodeName")) != new["spec"].get("nodeName")
    if before != after or not kept or moved:
        yield forbidden_field("spec", _POD_RULE)


def _pod_fixed(spec: Object) -> Object:
    fixed = {key: value for key, value in spec.items() if key not in _POD_MUTABLE}
    for field in ("containers", "initContainers"):
        if field in fixed:
            fixed[field] = [{**container, "image": ""} for container in fixed[field]]
    return fixed


def _volume(old: Object, new: Object) -> Iterator[Cause]:
    before = {key: value for key, value in old["spec"].items() if key not in _VOLUME_MUTABLE}
    after = {key: value for key, value in new["spec"].items() if key not in _VOLUME_MUTABLE}
    if before != after:
        detail = "spec.persistentvolumesource is immutable after creation"
        yield forbidden_field("spec.persistentvolumesource", detail)
    if old["spec"].get("volumeMode") != new["spec"].get("volumeMode"):
        yield invalid("spec.volumeMode", new["spec"].get("volumeMode"), _IMMUTABLE)


def _requested(claim: Object) -> Decimal:
    return amount(claim["spec"]["resources"]["requests"]["storage"])


def _claim(old: Object, new: Object) -> Iterator[Cause]:
    before, after = _claim_fixed(old["spec"]), _claim_fixed(new["spec"])
    if not old["spec"].get("volumeName"):
        before.pop("volumeName", None)
        after.pop("volumeName", None)
    if before != after:
        yield forbidden_field("spec", _CLAIM_RULE)
    elif _requested(new) < _requested(old):
        yield forbidden_field("spec.resources.requests.storage", "field can not be less than status.capacity")


def _claim_fixed(spec: Object) -> Object:
    return {
        key: value for key, value in spec.items() if key not in {"resources", "volumeAttributesClassName"}
    }


def _service(old: Object, new: Object) -> Iterator[Cause]:
    before, after = old["spec"].get("clusterIP"), new["spec"].get("clusterIP")
    if before and before != after and new["spec"].get("type") != "ExternalName":
        yield invalid("spec.clusterIPs[0]", [after], "may not change once set")


def _secret(old: Object, new: Object) -> Iterator[Cause]:
    if old.get("type") != new.get("type"):
        yield invalid("type", new.get("type"), _IMMUTABLE)


_CHECKS: dict[str, Callable[[Object, Object], Iterator[Cause]]] = {
    "DaemonSet": _selector,
    "Deployment": _selector,
    "Job": _job,
    "PersistentVolume": _volume,
    "PersistentVolumeClaim": _claim,
    "Pod": _pod,
    "ReplicaSet": _selector,
    "Secret": _secret,
    "Service": _service,
}
