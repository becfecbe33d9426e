"""Shapes of clusters: the real gcloud, given the printed command, sends the runbook's own request."""

from __future__ import annotations

import pytest

from runbook.clients import gke_requests
from runbook.clients.gke_requests import ClusterName, GkeRequest
from runbook.clients.gke_shapes import Shape
from tests.gke_requests.agreement import Agreement

REGIONAL = ClusterName("my-project", "us-central1", "demo")
ZONAL = ClusterName("my-project", "us-central1-c", "demo")
SHAPES = {
    "a plain one": Shape(),
    "a network of its own": Shape(network="research", subnetwork="tpus"),
    "a shared VPC": Shape(
        network="projects/host-project/global/networks/shared",
        subnetwork="projects/host-project/regions/us-central1/subnetworks/tpus",
        pod_range="pods",
        service_range="services",
    ),
    "private nodes": Shape(private_nodes=True),
    "a DNS endpoint": Shape(endpoint="dns"),
    "a DNS endpoint and private nodes": Shape(endpoint="dns", private_nodes=True),
    "a private endpoint": Shape(endpoint="private"),
}


def standard(cluster: ClusterName, shape: Shape, *, gateway_api: bool = True) -> GkeRequest:
    return gke_requests.create_cluster(
        cluster,
        release_channel="rapid",
        machine_type="e2-standard-8",
        nodes=1,
        zones=("us-central1-c",),
        gateway_api=gateway_api,
        shape=shape,
    )


def autopilot(shape: Shape) -> GkeRequest:
    return gke_requests.create_autopilot_cluster(REGIONAL, release_channel="rapid", shape=shape)


def private_pool() -> GkeRequest:
    return gke_requests.create_node_pool(
        REGIONAL,
        "tpus",
        machine_type="tpu7x-standard-4t",
        nodes=1,
        zone="us-central1-c",
        capacity="reservation",
        reservation="projects/owner-project/reservations/shared",
        topology=None,
        private_nodes=True,
    )


REQUESTS = {
    **{f"standard cluster with {name}": standard(REGIONAL, shape) for name, shape in SHAPES.items()},
    **{f"Autopilot cluster with {name}": autopilot(shape) for name, shape in SHAPES.items()},
    "zonal cluster": standard(ZONAL, Shape()),
    "private nodes without the Gateway API": standard(REGIONAL, Shape(private_nodes=True), gateway_api=False),
    "private node pool from another project's reservation": private_pool(),
}


@pytest.mark.clients
@pytest.mark.parametrize("kind", REQUESTS)
def test_gcloud_sends_what_the_runbook_sends(agreement: Agreement, kind: str) -> None:
    agreement.check(kind, REQUESTS[kind])


def test_a_reservation_of_another_project_is_named_by_its_full_path() -> None:
    body = private_pool().body
    assert body is not None
    assert body["nodePool"]["config"]["reservationAffinity"] == {
        "consumeReservationType": "SPECIFIC_RESERVATION",
        "key": "compute.googleapis.com/reservation-name",
        "values": ["projects/owner-project/reservations/shared"],
    }
