"""What the API server fills in for Services: ports, families, cluster IPs and node ports."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from rehearsal.kube.api.pod_defaults import fill
from rehearsal.kube.api.store import Object

# GKE's own range for Services.
SERVICE_NETWORK = ipaddress.ip_network("34.118.224.0/20")
KUBERNETES_ADDRESS = str(SERVICE_NETWORK[1])
_NODE_PORTS = range(30000, 32768)
_OUTSIDE = {"NodePort", "LoadBalancer"}


def default_service(service: Object) -> None:
    """Complete a Service in place, but for what must be free in the cluster."""
    spec = service["spec"]
    fill(spec, {"type": "ClusterIP", "sessionAffinity": "None"})
    if spec["type"] == "ExternalName":
        return
    fill(spec, {"internalTrafficPolicy": "Cluster", "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"})
    if spec["type"] in _OUTSIDE:
        fill(spec, {"externalTrafficPolicy": "Cluster"})
    if spec["type"] == "LoadBalancer":
        fill(spec, {"allocateLoadBalancerNodePorts": True})
    for port in spec.get("ports", []):
        fill(port, {"protocol": "TCP", "targetPort": port.get("port")})
    fill(service.setdefault("status", {}), {"loadBalancer": {}})


def allocate(service: Object, others: Iterable[Object]) -> None:
    """Give a Service the cluster IP and node ports that it lacks, and take back what its type has no use for.

    Args:
        others: every other Service of the cluster.
    """
    spec = service["spec"]
    taken = [other["spec"] for other in others]
    if spec["type"] == "ExternalName":
        spec.pop("clusterIP", None)
        spec.pop("clusterIPs", None)
        return
    if not spec.get("clusterIP"):
        spec["clusterIP"] = _free_address({other.get("clusterIP", "") for other in taken})
    spec["clusterIPs"] = [spec["clusterIP"]]
    _allocate_node_ports(spec, {port.get("nodePort") for other in taken for port in other.get("ports", [])})


def keep_allocated(service: Object, live: Object | None) -> None:
    """Take over the cluster IP and node ports of the Service that is replaced, where none are asked for."""
    if live is None or service["spec"]["type"] == "ExternalName":
        return
    spec, before = service["spec"], live["spec"]
    if "clusterIP" in before:
        fill(spec, {"clusterIP": before["clusterIP"]})
    numbers = {port["port"]: port["nodePort"] for port in before.get("ports", []) if "nodePort" in port}
    for port in spec.get("ports", []):
        if spec["type"] in _OUTSIDE and port.get("port") in numbers:
            fill(port, {"nodePort": numbers[port["port"]]})


def _free_address(taken: set[str]) -> str:
    return next(
        str(address)
        for address in SERVICE_NETWORK.hosts()
        if str(address) not in taken and str(address) != KUBERNETES_ADDRESS
    )


def _allocate_node_ports(spec: Object, taken: set[int | None]) -> None:
    if spec["type"] not in _OUTSIDE:
        for name in ("externalTrafficPolicy", "allocateLoadBalancerNodePorts"):
            spec.pop(name, None)
    for port in spec.get("ports", []):
        if spec["type"] not in _OUTSIDE:
            port.pop("nodePort", None)
        elif not port.get("nodePort"):
            port["nodePort"] = next(number for number in _NODE_PORTS if number not in taken)
        taken.add(port.get("nodePort"))
