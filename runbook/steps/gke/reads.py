"""What several steps want to know of the cluster; each fact is read once for all of them."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from runbook.engine.change import FactKey
from runbook.engine.errors import MissingError, Place, RefusedError, UnknownUntil
from runbook.steps.context import Context

Cluster = dict[str, Any]
"""The GKE API's Cluster, as clusters.get answers it."""


@dataclass(frozen=True)
class ClusterAccess:
    """How to reach the cluster's Kubernetes API.

    Args:
        endpoint: its address, such as `34.1.2.3` or `127.0.0.1:41234`.
        ca_certificate: PEM of the authority that signed its certificate; None where that is a public one.
        by_name: whether the address is the control plane's DNS name.
    """

    endpoint: str
    ca_certificate: str | None
    by_name: bool = False


def cluster_key(context: Context) -> FactKey:
    """Name the fact of this environment's cluster; what is known of the cluster has keys below it."""
    variables = context.variables
    return ("gke", "cluster", variables.project, location(context), variables.cluster.name)


def access_key(context: Context) -> FactKey:
    """Name the fact of the way to the cluster's Kubernetes API."""
    return (*cluster_key(context), "access")


def location(context: Context) -> str:
    """Name the region or zone of the cluster's control plane."""
    return context.variables.cluster.location


def cluster(context: Context) -> Cluster | None:
    """Read the cluster; None where there is none."""
    variables = context.variables
    name = variables.cluster.name
    return context.facts.read(
        cluster_key(context),
        lambda: context.connections.gke.cluster(variables.project, location(context), name),
    )


def require_cluster(context: Context) -> Cluster:
    """Read the cluster, which must be there.

    Raises:
        MissingError: it is not.
    """
    found = cluster(context)
    if found is None:
        there = elsewhere(context)
        raise MissingError(
            f"cluster {context.variables.cluster.name} in {location(context)} is not there"
            + (f"; one of that name is in {there}" if there else ""),
            supplied_by="gke.cluster",
            remedy=f"set cluster.location to {there}" if there else None,
        )
    return found


def elsewhere(context: Context) -> str | None:
    """Name another location of the project that has a cluster of this name; None where there is none."""
    variables = context.variables

    def find() -> str | None:
        named = (
            found
            for found in context.connections.gke.clusters(variables.project)
            if found["name"] == variables.cluster.name and found["location"] != location(context)
        )
        return next((str(found["location"]) for found in named), None)

    return context.facts.read((*cluster_key(context), "elsewhere"), find)


def is_autopilot(found: Cluster) -> bool:
    """Tell whether GKE makes the cluster's nodes by itself."""
    return bool(found.get("autopilot", {}).get("enabled"))


def cluster_flags(context: Context) -> tuple[str, str]:
    """Write the two flags that no gcloud command about the cluster should go without."""
    return f"--project={context.variables.project}", f"--location={location(context)}"


def node_pool(context: Context, found: Cluster) -> dict[str, Any] | None:
    """Find the TPU node pool in the cluster; None where it has none of that name."""
    pools: list[dict[str, Any]] = found.get("nodePools", [])
    return next((pool for pool in pools if pool["name"] == context.variables.node_pool.name), None)


def access(context: Context) -> ClusterAccess:
    """Tell how to reach the cluster's Kubernetes API.

    Raises:
        MissingError: the cluster is not there.
        UnknownUntil: the cluster is only planned.
    """
    return context.facts.read(access_key(context), lambda: _access(context, require_cluster(context)))


def _access(context: Context, found: Cluster) -> ClusterAccess:
    """Choose the address as gcloud does: the DNS name also where addresses are switched off."""
    wanted = context.variables.cluster.endpoint
    endpoints = found.get("controlPlaneEndpointsConfig", {})
    addresses = endpoints.get("ipEndpointsConfig")
    if wanted == "dns" or (addresses is not None and not addresses.get("enabled")):
        return _by_name(context, found)
    if "endpoint" not in found:
        raise _no_address_yet(context, found)
    endpoint = _private_address(found) if wanted == "private" else found["endpoint"]
    certificate = base64.b64decode(found["masterAuth"]["clusterCaCertificate"])
    return ClusterAccess(endpoint, certificate.decode("ascii"))


def _no_address_yet(context: Context, found: Cluster) -> Exception:
    """A cluster that is being made has no address: check mode plans on, a run needs 2.2 to wait for it."""
    if context.check:
        return UnknownUntil("gke.cluster")
    return MissingError(
        f"cluster {found['name']} has no address yet: it is {found.get('status')}", supplied_by="gke.cluster"
    )


def _by_name(context: Context, found: Cluster) -> ClusterAccess:
    """Use the DNS name; its certificate is a public one, but the rehearsal's is signed by the stand-in."""
    config = found.get("controlPlaneEndpointsConfig", {}).get("dnsEndpointConfig", {})
    if not config.get("allowExternalTraffic"):
        command = ["gcloud", "container", "clusters", "update", found["name"], "--enable-dns-access"]
        raise RefusedError(
            f"cluster {found['name']} takes no traffic by its DNS endpoint",
            place=Place(str(found.get("selfLink", found["name"]))),
            remedy=f"run `{' '.join([*command, *cluster_flags(context)])}`, or set cluster.endpoint to ip",
        )
    ca_file = context.connections.endpoints.ca_file
    certificate = ca_file.read_text(encoding="ascii") if ca_file else None
    return ClusterAccess(config["endpoint"], certificate, by_name=True)


def _private_address(found: Cluster) -> str:
    addresses = found.get("controlPlaneEndpointsConfig", {}).get("ipEndpointsConfig", {})
    private = addresses.get("privateEndpoint") or found.get("privateClusterConfig", {}).get("privateEndpoint")
    if not private:
        raise RefusedError(
            f"cluster {found['name']} has no address in the VPC network",
            place=Place(str(found.get("selfLink", found["name"]))),
            remedy="set cluster.endpoint to ip or dns",
        )
    return str(private)
