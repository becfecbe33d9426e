"""What the API server refuses in a Pod's spec, or in a template of Pods."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from rehearsal.kube.api.quantities import amount
from rehearsal.kube.api.status import Cause, invalid, required, unsupported
from rehearsal.kube.api.store import Object

_PULL_POLICIES = ["Always", "IfNotPresent", "Never"]
_PROTOCOLS = ["SCTP", "TCP", "UDP"]
_NATIVE = {"cpu", "memory", "ephemeral-storage"}


def pod_spec_causes(spec: Object, path: str) -> Iterator[Cause]:
    """List what is wrong with a Pod's spec.

    Args:
        path: where the spec stands, such as `spec.template.spec`.
    """
    if not spec.get("containers"):
        yield required(f"{path}.containers")
    volumes = {volume.get("name") for volume in spec.get("volumes", [])}
    names: set[str] = set()
    for field in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(field, [])):
            where = f"{path}.{field}[{index}]"
            name = container.get("name")
            if name in names:
                yield Cause(f"{where}.name", "FieldValueDuplicate", f'Duplicate value: "{name}"')
            names.add(name)
            yield from _container_causes(container, where, volumes)


def _container_causes(container: Object, path: str, volumes: set[str | None]) -> Iterator[Cause]:
    if not container.get("image"):
        yield required(f"{path}.image")
    policy = container.get("imagePullPolicy", "Always")
    if policy not in _PULL_POLICIES:
        yield unsupported(f"{path}.imagePullPolicy", policy, _PULL_POLICIES)
    for index, port in enumerate(container.get("ports", [])):
        number = port.get("containerPort", 1)
        if not 1 <= number <= 65535:
            yield invalid(
                f"{path}.ports[{index}].containerPort", number, "must be between 1 and 65535, inclusive"
            )
        if port.get("protocol", "TCP") not in _PROTOCOLS:
            yield unsupported(f"{path}.ports[{index}].protocol", port["protocol"], _PROTOCOLS)
    for index, mount in enumerate(container.get("volumeMounts", [])):
        if mount.get("name") not in volumes:
            found = f'Not found: "{mount.get("name")}"'
            yield Cause(f"{path}.volumeMounts[{index}].name", "FieldValueNotFound", found)
    yield from _resource_causes(container.get("resources", {}), f"{path}.resources")


def _resource_causes(resources: Object, path: str) -> Iterator[Cause]:
    limits, requests = resources.get("limits", {}), resources.get("requests", {})
    for field, asked in (("limits", limits), ("requests", requests)):
        for name, value in asked.items():
            if amount(value) < 0:
                yield invalid(f"{path}.{field}[{name}]", value, "must be greater than or equal to 0")
            if _extended(name) and amount(value) != int(amount(value)):
                yield invalid(f"{path}.{field}[{name}]", value, "must be an integer")
    for name, value in requests.items():
        limit = limits.get(name)
        if limit is None and _extended(name):
            yield required(f"{path}.limits", "Limit must be set for non overcommitable resources")
        elif limit is not None:
            yield from _request_against_limit(name, value, limit, path)


def _request_against_limit(name: str, request: str, limit: str, path: str) -> Iterator[Cause]:
    asked, allowed = Decimal(amount(request)), Decimal(amount(limit))
    if _extended(name) and asked != allowed:
        yield invalid(f"{path}.requests", request, f"must be equal to {name} limit of {limit}")
    elif asked > allowed:
        yield invalid(f"{path}.requests", request, f"must be less than or equal to {name} limit of {limit}")


def _extended(resource: str) -> bool:
    return resource not in _NATIVE and "/" in resource
