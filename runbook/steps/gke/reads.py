"""What several steps want to know of the cluster; each fact is read once for all of them."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from runbook.engine.change import FactKey
from runbook.engine.errors import MissingError
from runbook.steps.context import Context

Cluster = dict[str, Any]
"""The GKE API's Cluster, as clusters.get answers it."""


@dataclass(frozen=True)
class ClusterAccess:
    """How to reach the cluster's Kubernetes API.

    Args:
        endpoint: its address, such as `34.1.2.3` or `127.0.0.1:41234`.
        ca_certificate: PEM of the authority that signed its certificate.
    """

    endpoint: str
    ca_certificate: str


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
        raise MissingError(
            f"cluster {context.variables.cluster.name} in {location(context)} is not there",
            supplied_by="gke.cluster",
        )
    return found


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
    return context.facts.read(access_key(context), lambda: _access(require_cluster(context)))


def _access(found: Cluster) -> ClusterAccess:
    certificate = base64.b64decode(found["masterAuth"]["clusterCaCertificate"])
    return ClusterAccess(found["endpoint"], certificate.decode("ascii"))
