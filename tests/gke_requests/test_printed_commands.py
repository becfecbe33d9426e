"""What is printed is what is sent: the real gcloud, given a request's own command, sends the same request."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from runbook.clients import gke_requests
from runbook.clients.gke_requests import ClusterName, GkeRequest
from tests.gke_requests.gcloud_recorder import Gcloud, recorded_gcloud

CLUSTER = ClusterName("my-project", "us-central1", "demo")


def create_cluster(*, gateway_api: bool) -> GkeRequest:
    return gke_requests.create_cluster(
        CLUSTER,
        release_channel="rapid",
        machine_type="e2-standard-16",
        nodes=1,
        zones=("us-central1-c",),
        gateway_api=gateway_api,
    )


def create_node_pool(
    capacity: gke_requests.Capacity, *, reservation: str = "", topology: str | None = None
) -> GkeRequest:
    return gke_requests.create_node_pool(
        CLUSTER,
        "tpus",
        machine_type="tpu7x-standard-4t",
        nodes=1,
        zone="us-central1-c",
        capacity=capacity,
        reservation=reservation,
        topology=topology,
    )


REQUESTS = {
    "2.2 create the cluster": create_cluster(gateway_api=False),
    "2.2 create the cluster with the Gateway API": create_cluster(gateway_api=True),
    "2.3.1 workload identity of the cluster": gke_requests.enable_workload_identity(CLUSTER),
    "2.3.1 metadata server of the node pool": gke_requests.use_gke_metadata(CLUSTER, "tpus"),
    "2.3.2 HTTP load balancing": gke_requests.enable_addons(CLUSTER, ["HttpLoadBalancing"]),
    "2.3.3 Gateway API": gke_requests.enable_gateway_api(CLUSTER),
    "2.3.4 Cloud Storage FUSE": gke_requests.enable_addons(CLUSTER, ["GcsFuseCsiDriver"]),
    "2.4 node pool from a reservation": create_node_pool("reservation", reservation="mine"),
    "2.4 node pool from a shared reservation": create_node_pool(
        "reservation", reservation="projects/other/reservations/shared"
    ),
    "2.4 node pool on demand": create_node_pool("on-demand"),
    "2.4 node pool on spot machines": create_node_pool("spot"),
    "2.4 node pool with flex-start": create_node_pool("flex-start"),
    "2.4 node pool whose slice spans nodes": create_node_pool("on-demand", topology="4x4x4"),
    "6.2 delete the node pool": gke_requests.delete_node_pool(CLUSTER, "tpus"),
    "6.3 delete the cluster": gke_requests.delete_cluster(CLUSTER),
}


@pytest.fixture(scope="module")
def gcloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gcloud]:
    if shutil.which("gcloud") is None:
        pytest.skip("gcloud is not on the PATH: what is printed cannot be compared with what it sends")
    with recorded_gcloud(tmp_path_factory.mktemp("gcloud")) as opened:
        yield opened


@pytest.mark.clients
@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS.keys())
def test_gcloud_sends_what_the_runbook_sends(gcloud: Gcloud, request_: GkeRequest) -> None:
    assert gcloud.sent(request_.argv) == [(request_.method, f"/v1/{request_.path}", request_.body)]


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS.keys())
def test_no_command_leaves_project_or_location_to_gclouds_configuration(request_: GkeRequest) -> None:
    assert {"--project=my-project", "--location=us-central1"} <= set(request_.argv)


def test_a_new_cluster_keeps_horizontal_pod_autoscaling() -> None:
    body = create_cluster(gateway_api=False).body
    assert body is not None
    assert body["cluster"]["addonsConfig"]["horizontalPodAutoscaling"] == {"disabled": False}


def test_a_single_host_node_pool_is_not_given_its_topology() -> None:
    body = create_node_pool("spot").body
    assert body is not None
    assert "placementPolicy" not in body["nodePool"]
