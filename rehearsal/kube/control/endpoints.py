"""EndpointSlices and Endpoints: the ready Pods behind each Service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rehearsal.kube.api.kinds import kind_of
from rehearsal.kube.api.store import Event, Object, generate_name
from rehearsal.kube.control.control_loop import Controller, Key, key_of, named
from rehearsal.kube.control.owners import controlled, controller_reference
from rehearsal.kube.control.pods import has_ended, is_ready, is_terminating
from rehearsal.kube.control.selectors import contains

_SERVICE_NAME = "kubernetes.io/service-name"
_MANAGED_BY = {"endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"}


class Endpoints(Controller):
    """Keeps one EndpointSlice and one Endpoints object for each Service that has a selector."""

    def keys(self, event: Event) -> Iterable[Key]:
        """Follow Services, and Pods to the Services that select them or did."""
        if event.kind.kind == "Pod":
            return self._services_of(event)
        return named(event, "Service")

    def _services_of(self, event: Event) -> Iterator[Key]:
        for service in self.objects("Service", event.object["metadata"]["namespace"]):
            if any(selects(service, pod) for pod in (event.object, event.previous) if pod):
                yield key_of(service)

    def reconcile(self, key: Key) -> float | None:
        """Write the present addresses."""
        service = self.find("Service", key)
        if service is None:
            if self.find("Endpoints", key) is not None:
                self.store.delete(kind_of("Endpoints"), *key)
            return None
        if service["spec"].get("selector") and "deletionTimestamp" not in service["metadata"]:
            pods = [pod for pod in self.objects("Pod", key[0]) if selects(service, pod) and _has_address(pod)]
            self._write_slice(service, pods)
            self._write_endpoints(service, pods)
        return None

    def _write_slice(self, service: Object, pods: list[Object]) -> None:
        content = {
            "addressType": "IPv4",
            "endpoints": [_endpoint(pod) for pod in pods],
            "ports": [
                {"name": port.get("name", ""), "port": number, "protocol": port.get("protocol", "TCP")}
                for port, number in _ports(service, pods)
            ],
        }
        slices = controlled(self.objects("EndpointSlice", service["metadata"]["namespace"]), service)
        if slices:
            self.store.update(kind_of("EndpointSlice"), slices[0] | content)
            return
        name = service["metadata"]["name"]
        metadata = {
            "name": generate_name(f"{name}-"),
            "generateName": f"{name}-",
            "namespace": service["metadata"]["namespace"],
            "labels": {_SERVICE_NAME: name, **_MANAGED_BY},
            "ownerReferences": [controller_reference(service)],
        }
        self.store.create(kind_of("EndpointSlice"), {"metadata": metadata} | content)

    def _write_endpoints(self, service: Object, pods: list[Object]) -> None:
        addresses: dict[bool, list[Object]] = {True: [], False: []}
        for pod in pods:
            if not is_terminating(pod):
                addresses[is_ready(pod)].append(_address(pod))
        subset: Object = {"ports": _endpoint_ports(service, pods)}
        subset |= {"addresses": addresses[True]} if addresses[True] else {}
        subset |= {"notReadyAddresses": addresses[False]} if addresses[False] else {}
        subsets = [subset] if len(subset) > 1 else []
        key = key_of(service)
        old = self.find("Endpoints", key)
        if old is not None:
            self.store.update(kind_of("Endpoints"), old | {"subsets": subsets})
        else:
            metadata = {"name": key[1], "namespace": key[0]}
            self.store.create(kind_of("Endpoints"), {"metadata": metadata, "subsets": subsets})


def selects(service: Object, pod: Object) -> bool:
    """Tell whether a Service selects a Pod; one without a selector selects none."""
    selector = service["spec"].get("selector")
    same = service["metadata"].get("namespace") == pod["metadata"].get("namespace")
    return bool(selector) and same and contains(pod["metadata"].get("labels") or {}, selector)


def target_port(port: Object, pod: Object) -> int | None:
    """Resolve a Service port's targetPort, which may name a container's port, to a number."""
    target = port.get("targetPort") or port["port"]
    if isinstance(target, int):
        return target
    named_ports = (entry for container in pod["spec"]["containers"] for entry in container.get("ports") or [])
    return next((entry["containerPort"] for entry in named_ports if entry.get("name") == target), None)


def _has_address(pod: Object) -> bool:
    return bool((pod.get("status") or {}).get("podIP")) and not has_ended(pod)


def _ports(service: Object, pods: list[Object]) -> Iterator[tuple[Object, int]]:
    for port in service["spec"].get("ports") or []:
        number = target_port(port, pods[0]) if pods else None
        if number is not None:
            yield port, number


def _endpoint_ports(service: Object, pods: list[Object]) -> list[Object]:
    return [
        ({"name": port["name"]} if port.get("name") else {})
        | {"port": number, "protocol": port.get("protocol", "TCP")}
        for port, number in _ports(service, pods)
    ]


def _endpoint(pod: Object) -> Object:
    address = _address(pod)
    ready = is_ready(pod)
    return {
        "addresses": [address["ip"]],
        "conditions": {
            "ready": ready and not is_terminating(pod),
            "serving": ready,
            "terminating": is_terminating(pod),
        },
        "nodeName": address["nodeName"],
        "targetRef": address["targetRef"],
    }


def _address(pod: Object) -> Object:
    metadata = pod["metadata"]
    return {
        "ip": pod["status"]["podIP"],
        "nodeName": pod["spec"]["nodeName"],
        "targetRef": {
            "kind": "Pod",
            "namespace": metadata["namespace"],
            "name": metadata["name"],
            "uid": metadata["uid"],
        },
    }
