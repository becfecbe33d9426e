"""A cluster's place in the network: what a request leaves out, what it may not ask for, and its addresses."""

from __future__ import annotations

import re
from typing import Any

from rehearsal.front.errors import GoogleError
from rehearsal.gke.locations import region_of
from rehearsal.gke.names import ClusterName

NETWORK = re.compile(r"(projects/(?P<project>[^/]+)/global/networks/)?(?P<name>[a-z][a-z0-9-]*)")
SUBNETWORK = re.compile(
    r"(projects/(?P<project>[^/]+)/regions/(?P<region>[^/]+)/subnetworks/)?(?P<name>[a-z][a-z0-9-]*)"
)

Fields = dict[str, Any]


def network_fields(name: ClusterName, given: Fields) -> Fields:
    """Complete the fields of a new cluster that tell where it stands.

    Args:
        name: the cluster's.
        given: the request's `cluster`.

    Raises:
        GoogleError: 400, there is no such place.
    """
    project, network = _network(name, given.get("network", "default"))
    subnetwork = _subnetwork(name, project, given.get("subnetwork", ""), network)
    policy = given.get("ipAllocationPolicy", {})
    _check_secondary_ranges(project, name, policy)
    return {
        "clusterIpv4Cidr": "10.4.0.0/14",
        "ipAllocationPolicy": {
            "clusterIpv4CidrBlock": "10.4.0.0/14",
            "servicesIpv4CidrBlock": "34.118.224.0/20",
            "stackType": "IPV4",
        }
        | policy
        | {"useIpAliases": True},
        "network": network,
        "networkConfig": {"serviceExternalIpsConfig": {}}
        | given.get("networkConfig", {})
        | {
            "network": f"projects/{project}/global/networks/{network}",
            "subnetwork": f"projects/{project}/regions/{region_of(name.location)}/subnetworks/{subnetwork}",
        },
        "servicesIpv4Cidr": "34.118.224.0/20",
        "subnetwork": subnetwork,
    }


def endpoint_fields(cluster: Fields) -> Fields:
    """Complete `controlPlaneEndpointsConfig`: addresses and DNS name, some of which a request may switch off.

    Raises:
        GoogleError: 400, nobody could reach the control plane.
    """
    given = cluster.get("controlPlaneEndpointsConfig", {})
    addresses = {"enabled": True, "enablePublicEndpoint": True, "authorizedNetworksConfig": {}}
    config = {
        "dnsEndpointConfig": dict(given.get("dnsEndpointConfig", {})),
        "ipEndpointsConfig": addresses | given.get("ipEndpointsConfig", {}),
    }
    by_name = config["dnsEndpointConfig"].get("allowExternalTraffic")
    if not config["ipEndpointsConfig"]["enabled"] and not by_name:
        raise GoogleError(400, "Either the DNS endpoint or the IP endpoints must be enabled.")
    return config


def with_addresses(cluster: Fields, address: str) -> Fields:
    """Give a cluster the addresses that it has once it runs; one listener on loopback serves them all.

    Args:
        cluster: as the API returns it.
        address: `127.0.0.1:PORT`.
    """
    config = endpoint_fields(cluster)
    by_name, by_address = config["dnsEndpointConfig"], config["ipEndpointsConfig"]
    by_name["endpoint"] = address.replace("127.0.0.1", "localhost")
    result = cluster | {"endpoint": address, "controlPlaneEndpointsConfig": config}
    if by_address["enabled"]:
        by_address["privateEndpoint"] = address
        by_address["publicEndpoint"] = address if by_address["enablePublicEndpoint"] else ""
    private_nodes = bool(cluster["networkConfig"].get("defaultEnablePrivateNodes"))
    return result | {
        "privateClusterConfig": {
            "enablePrivateNodes": private_nodes,
            "enablePrivateEndpoint": not by_address["enablePublicEndpoint"],
            "privateEndpoint": by_address.get("privateEndpoint", ""),
            "publicEndpoint": by_address.get("publicEndpoint", ""),
        }
    }


def _network(name: ClusterName, given: str) -> tuple[str, str]:
    """Read a network's project and name."""
    found = NETWORK.fullmatch(given)
    if not found:
        raise GoogleError(400, f'Invalid network "{given}".')
    return found["project"] or name.project, found["name"]


def _subnetwork(name: ClusterName, project: str, given: str, network: str) -> str:
    found = SUBNETWORK.fullmatch(given or network)
    region = region_of(name.location)
    if not found or (found["region"] or region) != region:
        raise GoogleError(400, f'Invalid subnetwork "{given}": the cluster is in region "{region}".')
    if (found["project"] or name.project) != project:
        raise GoogleError(400, f'Subnetwork "{given}" is not in network "{network}" of project "{project}".')
    return found["name"]


def _check_secondary_ranges(project: str, name: ClusterName, policy: Fields) -> None:
    """Refuse a shared network without named ranges: in another project GKE makes none."""
    named = policy.get("clusterSecondaryRangeName") and policy.get("servicesSecondaryRangeName")
    if project != name.project and not named:
        raise GoogleError(
            400,
            "Secondary ranges for Pods and Services must be named in a network of another project"
            f' ("{project}").',
        )
