"""What the API server refuses in an object, in its own words."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from typing import Any

from rehearsal.kube.api.custom.definitions import definition_causes
from rehearsal.kube.api.custom.validation import custom_causes
from rehearsal.kube.api.job_validation import job_spec_causes
from rehearsal.kube.api.kinds import Kind
from rehearsal.kube.api.pod_validation import pod_spec_causes
from rehearsal.kube.api.quantities import amount
from rehearsal.kube.api.schema import Type, child, item, struct_of, type_of
from rehearsal.kube.api.selectors import matches_selector
from rehearsal.kube.api.status import Cause, forbidden_field, invalid, invalid_object, required, unsupported
from rehearsal.kube.api.store import Object

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_NAME_MESSAGE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must"
    " start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is"
    f" '{_SUBDOMAIN}')"
)
_LABEL_MESSAGE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and"
    " end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is"
    f" '{_LABEL}')"
)
_SERVICE_NAME = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_SERVICE_NAME_MESSAGE = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic"
    " character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for"
    f" validation is '{_SERVICE_NAME}')"
)
_LABEL_VALUE = r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
_LABEL_VALUE_MESSAGE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must"
    " start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used"
    f" for validation is '{_LABEL_VALUE}')"
)
_LARGEST_CONFIG_MAP = 1024 * 1024
_ACCESS_MODES = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"]
_SERVICE_TYPES = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]


def validate(kind: Kind, obj: Object) -> None:
    """Check an object after its defaults were set.

    Raises:
        ApiError: 422 with a cause for each wrong field.
    """
    causes = list(_metadata_causes(kind, obj["metadata"]))
    # a status may have gaps: its writer knows what is not known yet
    asked = {name: value for name, value in obj.items() if name != "status"}
    if kind.custom is not None:
        causes += custom_causes(kind.custom.schema, asked)
    else:
        causes += _schema_causes(type_of(kind), asked, "")
    if not causes and kind.custom is None and (check := _CHECKS.get(kind.kind)):
        causes += check(obj)
    if causes:
        raise invalid_object(kind, obj["metadata"].get("name", ""), causes)


def _metadata_causes(kind: Kind, metadata: Object) -> Iterator[Cause]:
    name = metadata.get("name", "")
    pattern, message, longest = _SUBDOMAIN, _NAME_MESSAGE, 253
    if kind.kind == "Service":
        pattern, message, longest = _SERVICE_NAME, _SERVICE_NAME_MESSAGE, 63
    elif kind.kind == "Namespace":
        pattern, message, longest = _LABEL, _LABEL_MESSAGE, 63
    if not name and not metadata.get("generateName"):
        yield required("metadata.name", "name or generateName is required")
    elif name and not re.fullmatch(pattern, name):
        yield invalid("metadata.name", name, message)
    elif len(name) > longest:
        yield invalid("metadata.name", name, f"must be no more than {longest} characters")
    for value in metadata.get("labels", {}).values():
        if not re.fullmatch(_LABEL_VALUE, value):
            yield invalid("metadata.labels", value, _LABEL_VALUE_MESSAGE)
        elif len(value) > 63:
            yield invalid("metadata.labels", value, "must be no more than 63 bytes")


def _schema_causes(described: Type, value: Any, path: str) -> Iterator[Cause]:
    if isinstance(value, dict) and described.name in {"struct", "map"}:
        if described.name == "struct":
            for name in struct_of(described).required:
                if value.get(name) in (None, ""):
                    yield required(f"{path}.{name}" if path else name)
        for key, below in value.items():
            where = f"{path}.{key}" if path else key
            yield from _schema_causes(child(described, key) or described, below, where)
    elif isinstance(value, list) and described.name == "list":
        for index, entry in enumerate(value):
            yield from _schema_causes(item(described), entry, f"{path}[{index}]")
    elif described.name == "quantity" and (wrong := _quantity_error(value)):
        yield invalid(path, value, wrong)


def _quantity_error(value: Any) -> str | None:
    try:
        amount(value)
    except ValueError as error:
        return str(error)
    return None


def _template_causes(obj: Object, restart_policies: list[str]) -> Iterator[Cause]:
    spec = obj["spec"]["template"]["spec"]
    policy = spec["restartPolicy"]
    if policy not in restart_policies:
        if restart_policies == ["Always"]:
            yield unsupported("spec.template.spec.restartPolicy", policy, restart_policies)
        else:
            allowed = ", ".join(f'"{name}"' for name in restart_policies)
            yield required("spec.template.spec.restartPolicy", f"valid values: {allowed}")
    yield from pod_spec_causes(spec, "spec.template.spec")


def _selector_causes(obj: Object) -> Iterator[Cause]:
    selector = obj["spec"]["selector"]
    labels = obj["spec"]["template"]["metadata"].get("labels", {})
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        kind = obj["kind"].lower()
        yield invalid("spec.selector", {}, f"empty selector is invalid for {kind}")
    elif not matches_selector(selector, labels):
        yield invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")


def _controller_causes(obj: Object) -> Iterator[Cause]:
    if obj["spec"].get("replicas", 0) < 0:
        yield invalid("spec.replicas", obj["spec"]["replicas"], "must be greater than or equal to 0")
    yield from _selector_causes(obj)
    yield from _template_causes(obj, ["Always"])


def _deployment_causes(obj: Object) -> Iterator[Cause]:
    strategy = obj["spec"]["strategy"]
    if strategy["type"] not in {"Recreate", "RollingUpdate"}:
        yield unsupported("spec.strategy.type", strategy["type"], ["Recreate", "RollingUpdate"])
    if strategy["type"] == "Recreate" and "rollingUpdate" in strategy:
        detail = "may not be specified when strategy `type` is 'Recreate'"
        yield forbidden_field("spec.strategy.rollingUpdate", detail)
    rolling = strategy.get("rollingUpdate", {})
    if {str(rolling.get("maxSurge", 1)), str(rolling.get("maxUnavailable", 1))} <= {"0", "0%"}:
        detail = "may not be 0 when `maxSurge` is 0"
        yield invalid("spec.strategy.rollingUpdate.maxUnavailable", rolling["maxUnavailable"], detail)
    if obj["spec"]["progressDeadlineSeconds"] <= obj["spec"].get("minReadySeconds", 0):
        deadline = obj["spec"]["progressDeadlineSeconds"]
        yield invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")
    yield from _controller_causes(obj)


def _job_causes(obj: Object) -> Iterator[Cause]:
    yield from job_spec_causes(obj["spec"])
    yield from _template_causes(obj, ["OnFailure", "Never"])


def _config_map_causes(obj: Object) -> Iterator[Cause]:
    plain = sum(len(value.encode()) for value in obj.get("data", {}).values())
    binary = sum(len(base64.b64decode(value)) for value in obj.get("binaryData", {}).values())
    if plain + binary > _LARGEST_CONFIG_MAP:
        yield Cause("[]", "FieldValueTooLong", f"Too long: may not be more than {_LARGEST_CONFIG_MAP} bytes")


def _pod_causes(obj: Object) -> Iterator[Cause]:
    yield from pod_spec_causes(obj["spec"], "spec")


def _access_mode_causes(spec: Object) -> Iterator[Cause]:
    for mode in spec.get("accessModes", []):
        if mode not in _ACCESS_MODES:
            yield unsupported("spec.accessModes", mode, _ACCESS_MODES)


def _persistent_volume_causes(obj: Object) -> Iterator[Cause]:
    spec = obj["spec"]
    if not spec.get("accessModes"):
        yield required("spec.accessModes")
    if not spec.get("capacity"):
        yield required("spec.capacity")
    sources = [name for name in spec if name in _volume_sources()]
    if not sources:
        yield required("spec", "must specify a volume type")
    for name in sources[1:]:
        yield forbidden_field(f"spec.{name}", "may not specify more than 1 volume type")
    yield from _access_mode_causes(spec)


def _volume_sources() -> set[str]:
    spec = struct_of(Type("struct", struct="core.v1.PersistentVolumeSpec"))
    return {
        name for name, described in spec.fields.items()
        if described.struct.endswith("VolumeSource")
    }  # fmt: skip


def _claim_causes(obj: Object) -> Iterator[Cause]:
    spec = obj["spec"]
    if not spec.get("accessModes"):
        yield required("spec.accessModes", "at least 1 access mode is required")
    if "storage" not in spec.get("resources", {}).get("requests", {}):
        yield required("spec.resources[storage]")
    yield from _access_mode_causes(spec)


def _service_causes(obj: Object) -> Iterator[Cause]:
    spec = obj["spec"]
    ports = spec.get("ports", [])
    if spec["type"] not in _SERVICE_TYPES:
        yield unsupported("spec.type", spec["type"], _SERVICE_TYPES)
    if not ports and spec["type"] != "ExternalName" and spec.get("clusterIP") != "None":
        yield required("spec.ports")
    for index, port in enumerate(ports):
        path = f"spec.ports[{index}]"
        if len(ports) > 1 and not port.get("name"):
            yield required(f"{path}.name")
        if not 1 <= port["port"] <= 65535:
            yield invalid(f"{path}.port", port["port"], "must be between 1 and 65535, inclusive")


_CHECKS: dict[str, Callable[[Object], Iterator[Cause]]] = {
    "ConfigMap": _config_map_causes,
    "CustomResourceDefinition": definition_causes,
    "DaemonSet": _controller_causes,
    "Deployment": _deployment_causes,
    "Job": _job_causes,
    "PersistentVolume": _persistent_volume_causes,
    "PersistentVolumeClaim": _claim_causes,
    "Pod": _pod_causes,
    "ReplicaSet": _controller_causes,
    "Service": _service_causes,
    "StatefulSet": _controller_causes,
}
