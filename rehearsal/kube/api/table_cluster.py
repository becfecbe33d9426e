"""The lines of volumes, Services, Nodes, Events and their like in `kubectl get`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rehearsal.kube.api.ages import age
from rehearsal.kube.api.store import Object
from rehearsal.kube.api.table_workloads import selector_text

_NONE = "<none>"
_UNSET = "<unset>"
_MODES = {"ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOnce": "RWO", "ReadWriteOncePod": "RWOP"}
_ROLE = "node-role.kubernetes.io/"


def _since(obj: Object) -> str:
    return age(obj["metadata"].get("creationTimestamp"))


def _name(obj: Object) -> str:
    name: str = obj["metadata"]["name"]
    return name


def _modes(modes: list[str] | None) -> str:
    return ",".join(_MODES.get(mode, mode) for mode in modes or [])


def _phase(obj: Object) -> str:
    if "deletionTimestamp" in obj["metadata"]:
        return "Terminating"
    return str(obj.get("status", {}).get("phase", ""))


def _volume(obj: Object) -> list[Any]:
    spec, claim = obj["spec"], obj["spec"].get("claimRef")
    return [
        _name(obj),
        spec.get("capacity", {}).get("storage", ""),
        _modes(spec.get("accessModes")),
        spec.get("persistentVolumeReclaimPolicy", ""),
        _phase(obj),
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
        spec.get("storageClassName", ""),
        spec.get("volumeAttributesClassName", _UNSET),
        obj.get("status", {}).get("reason", ""),
        _since(obj),
        spec.get("volumeMode", _UNSET),
    ]


def _claim(obj: Object) -> list[Any]:
    spec, status = obj["spec"], obj.get("status", {})
    bound = bool(spec.get("volumeName"))
    return [
        _name(obj),
        _phase(obj),
        spec.get("volumeName", ""),
        status.get("capacity", {}).get("storage", "") if bound else "",
        _modes(status.get("accessModes")) if bound else "",
        spec.get("storageClassName", ""),
        spec.get("volumeAttributesClassName", _UNSET),
        _since(obj),
        spec.get("volumeMode", _UNSET),
    ]


def _service(obj: Object) -> list[Any]:
    spec = obj["spec"]
    selector = selector_text({"matchLabels": spec.get("selector") or {}})
    ports = ",".join(_service_port(port) for port in spec.get("ports", [])) or _NONE
    outside = _outside_address(obj)
    return [
        _name(obj),
        spec.get("type"),
        spec.get("clusterIP") or _NONE,
        outside,
        ports,
        _since(obj),
        selector,
    ]


def _service_port(port: Object) -> str:
    number = f"{port['port']}:{port['nodePort']}" if port.get("nodePort") else str(port["port"])
    return f"{number}/{port.get('protocol', 'TCP')}"


def _outside_address(obj: Object) -> str:
    spec = obj["spec"]
    if spec.get("type") == "ExternalName":
        return str(spec.get("externalName"))
    if spec.get("externalIPs"):
        return ",".join(spec["externalIPs"])
    if spec.get("type") != "LoadBalancer":
        return _NONE
    entries = obj.get("status", {}).get("loadBalancer", {}).get("ingress", [])
    return ",".join(entry.get("ip") or entry.get("hostname", "") for entry in entries) or "<pending>"


def _node(obj: Object) -> list[Any]:
    info = obj.get("status", {}).get("nodeInfo", {})
    labels = obj["metadata"].get("labels", {})
    roles = ",".join(sorted(key.removeprefix(_ROLE) for key in labels if key.startswith(_ROLE)))
    return [
        _name(obj),
        _node_status(obj),
        roles or _NONE,
        _since(obj),
        info.get("kubeletVersion", ""),
        _node_address(obj, "InternalIP"),
        _node_address(obj, "ExternalIP"),
        info.get("osImage") or "<unknown>",
        info.get("kernelVersion") or "<unknown>",
        info.get("containerRuntimeVersion") or "<unknown>",
    ]


def _node_status(obj: Object) -> str:
    conditions = obj.get("status", {}).get("conditions", [])
    ready = next((entry["status"] for entry in conditions if entry["type"] == "Ready"), None)
    word = {"True": "Ready", None: "Unknown"}.get(ready, "NotReady")
    return f"{word},SchedulingDisabled" if obj.get("spec", {}).get("unschedulable") else word


def _node_address(obj: Object, kind: str) -> str:
    addresses = obj.get("status", {}).get("addresses", [])
    return next((entry["address"] for entry in addresses if entry["type"] == kind), _NONE)


def _event(obj: Object) -> list[Any]:
    about, source = obj.get("involvedObject", {}), obj.get("source", {})
    last = obj.get("lastTimestamp") or obj.get("eventTime") or obj["metadata"].get("creationTimestamp")
    first = obj.get("firstTimestamp") or obj.get("eventTime") or last
    where = ", ".join(value for value in (source.get("component"), source.get("host")) if value)
    return [
        age(last),
        obj.get("type", ""),
        obj.get("reason", ""),
        f"{about.get('kind', '').lower()}/{about.get('name', '')}",
        str(obj.get("message", "")).strip(),
        about.get("fieldPath", ""),
        where or obj.get("reportingComponent", ""),
        age(first),
        obj.get("count", 1),
        _name(obj),
    ]


def _namespace(obj: Object) -> list[Any]:
    return [_name(obj), obj.get("status", {}).get("phase", ""), _since(obj)]


def _service_account(obj: Object) -> list[Any]:
    return [_name(obj), len(obj.get("secrets", [])), _since(obj)]


def _config_map(obj: Object) -> list[Any]:
    return [_name(obj), len(obj.get("data", {})) + len(obj.get("binaryData", {})), _since(obj)]


def _secret(obj: Object) -> list[Any]:
    return [_name(obj), obj.get("type", ""), len(obj.get("data", {})), _since(obj)]


def _endpoints(obj: Object) -> list[Any]:
    found = [
        f"{address['ip']}:{port['port']}"
        for subset in obj.get("subsets", [])
        for port in subset.get("ports", [])
        for address in subset.get("addresses", [])
    ]
    return [_name(obj), ",".join(found) or _NONE, _since(obj)]


def _endpoint_slice(obj: Object) -> list[Any]:
    ports = ",".join(str(port.get("port", "*")) for port in obj.get("ports") or []) or _UNSET
    found = ",".join(ip for entry in obj.get("endpoints") or [] for ip in entry["addresses"]) or _UNSET
    return [_name(obj), obj.get("addressType"), ports, found, _since(obj)]


def _lease(obj: Object) -> list[Any]:
    return [_name(obj), obj.get("spec", {}).get("holderIdentity", ""), _since(obj)]


def _csi_driver(obj: Object) -> list[Any]:
    spec = obj["spec"]
    flags = [
        str(bool(spec.get(name))).lower() for name in ("attachRequired", "podInfoOnMount", "storageCapacity")
    ]
    audiences = ",".join(entry.get("audience", "") for entry in spec.get("tokenRequests", [])) or _UNSET
    republish = str(bool(spec.get("requiresRepublish"))).lower()
    modes = ",".join(spec.get("volumeLifecycleModes", [])) or _NONE
    return [_name(obj), *flags, audiences, republish, modes, _since(obj)]


def _storage_class(obj: Object) -> list[Any]:
    default = "storageclass.kubernetes.io/is-default-class"
    marked = obj["metadata"].get("annotations", {}).get(default) == "true"
    return [
        _name(obj) + (" (default)" if marked else ""),
        obj.get("provisioner"),
        obj.get("reclaimPolicy"),
        obj.get("volumeBindingMode", _UNSET),
        str(bool(obj.get("allowVolumeExpansion"))).lower(),
        _since(obj),
    ]


def _definition(obj: Object) -> list[Any]:
    return [_name(obj), obj["metadata"].get("creationTimestamp", "")]


def _quota(obj: Object) -> list[Any]:
    hard, used = obj.get("spec", {}).get("hard", {}), obj.get("status", {}).get("used", {})
    shown = {name: f"{name}: {used.get(name, '0')}/{limit}" for name, limit in sorted(hard.items())}
    limits = ", ".join(text for name, text in shown.items() if name.startswith("limits."))
    requests = ", ".join(text for name, text in shown.items() if not name.startswith("limits."))
    return [_name(obj), requests, limits, _since(obj)]


CLUSTER_PRINTERS: dict[str, tuple[str, Callable[[Object], list[Any]]]] = {
    "CSIDriver": (
        "Name AttachRequired PodInfoOnMount StorageCapacity TokenRequests RequiresRepublish Modes Age",
        _csi_driver,
    ),
    "ConfigMap": ("Name Data Age", _config_map),
    "CustomResourceDefinition": ("Name Created_At", _definition),
    "EndpointSlice": ("Name AddressType Ports Endpoints Age", _endpoint_slice),
    "Endpoints": ("Name Endpoints Age", _endpoints),
    "Event": ("Last_Seen Type Reason Object Message | Subobject Source First_Seen Count Name", _event),
    "Lease": ("Name Holder Age", _lease),
    "Namespace": ("Name Status Age", _namespace),
    "Node": (
        "Name Status Roles Age Version | Internal-IP External-IP OS-Image Kernel-Version Container-Runtime",
        _node,
    ),
    "PersistentVolume": (
        "Name Capacity Access_Modes Reclaim_Policy Status Claim StorageClass VolumeAttributesClass Reason Age"
        " | VolumeMode",
        _volume,
    ),
    "PersistentVolumeClaim": (
        "Name Status Volume Capacity Access_Modes StorageClass VolumeAttributesClass Age | VolumeMode",
        _claim,
    ),
    "ResourceQuota": ("Name Request Limit Age", _quota),
    "Secret": ("Name Type Data Age", _secret),
    "Service": ("Name Type Cluster-IP External-IP Port(s) Age | Selector", _service),
    "ServiceAccount": ("Name Secrets Age", _service_account),
    "StorageClass": (
        "Name Provisioner ReclaimPolicy VolumeBindingMode AllowVolumeExpansion Age", _storage_class,
    ),
}  # fmt: skip
