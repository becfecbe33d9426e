"""The cluster that 2.2 makes: the request, what it will lead to, and how it is told in one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runbook.clients.gke_requests import GkeRequest, create_autopilot_cluster, create_cluster
from runbook.clients.gke_shapes import Shape
from runbook.steps.context import Context
from runbook.steps.gke.operations import cluster_name
from runbook.steps.gke.reads import Cluster, is_autopilot

_AUTOPILOT_NETWORK = {"gatewayApiConfig": {"channel": "CHANNEL_STANDARD"}}
"""A new Autopilot cluster has the Gateway API without being asked."""


def creation(context: Context) -> GkeRequest:
    """Make the request that creates the cluster as the variables want it."""
    wanted = context.variables.cluster
    shape = Shape(
        wanted.endpoint,
        wanted.network,
        wanted.subnetwork,
        wanted.pod_range,
        wanted.service_range,
        wanted.private_nodes,
    )
    if wanted.mode == "autopilot":
        return create_autopilot_cluster(
            cluster_name(context), release_channel=wanted.release_channel, shape=shape
        )
    return create_cluster(
        cluster_name(context),
        release_channel=wanted.release_channel,
        machine_type=wanted.system_machine_type,
        nodes=wanted.system_nodes,
        zones=_zones(context),
        gateway_api=wanted.gateway_api,
        shape=shape,
    )


def _zones(context: Context) -> Sequence[str]:
    """Give the zones of the system nodes; a zonal cluster has nodes in its own zone at any rate."""
    wanted = context.variables.cluster
    own = [] if wanted.location == context.variables.region else [wanted.location]
    return list(dict.fromkeys([*own, *wanted.system_zones]))


def predicted(context: Context, request: GkeRequest) -> Cluster:
    """Tell what the create request will make, as far as it can be known before."""
    assert request.body is not None  # noqa: S101 - a create request has a body
    body: Cluster = request.body["cluster"]
    there = {"status": "RUNNING", "location": context.variables.cluster.location}
    if is_autopilot(body):
        return {**body, **there, "networkConfig": _AUTOPILOT_NETWORK, "nodePools": []}
    pools = [_predicted_pool(pool, body["locations"]) for pool in body["nodePools"]]
    return {**body, **there, "nodePools": pools}


def _predicted_pool(pool: dict[str, Any], zones: list[str]) -> dict[str, Any]:
    config = {**pool["config"], "workloadMetadataConfig": {"mode": "GKE_METADATA"}}
    return {**pool, "config": config, "locations": zones, "status": "RUNNING"}


def summary(request: GkeRequest) -> str:
    """Tell a new cluster in a few words."""
    assert request.body is not None  # noqa: S101 - a create request has a body
    body = request.body["cluster"]
    if is_autopilot(body):
        return f"channel {body['releaseChannel']['channel']}, Autopilot"
    pool = body["nodePools"][0]
    machines = f"{pool['initialNodeCount']} x {pool['config']['machineType']}"
    return f"channel {body['releaseChannel']['channel']}, {machines} in {', '.join(body['locations'])}"
