"""What is printed is what is sent: the real gcloud, given a request's own command, sends the same request."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from runbook.clients import gke_requests, storage_requests
from runbook.clients.gke_requests import ClusterName, GkeRequest
from runbook.clients.kube import kubeconfig
from runbook.clients.kube.kubeconfig import Entry
from runbook.clients.storage_requests import Grant
from tests.gke_requests.agreement import Agreement
from tests.gke_requests.gcloud_recorder import POLICY, Gcloud
from tests.rehearsal.stand_in import StandIn
from tests.steps_gke.workplace import Workplace, variables_with

CLUSTER = ClusterName("my-project", "us-central1", "demo")
MEMBER = (
    "principal://iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/my-project.svc.id.goog"
    "/subject/ns/default/sa/default"
)


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
    "2.3.1 no spare machine for the node pool": gke_requests.replace_nodes_in_place(CLUSTER, "tpus"),
    "2.3.1 metadata server of the node pool": gke_requests.use_gke_metadata(CLUSTER, "tpus"),
    "2.3.2 HTTP load balancing": gke_requests.enable_addons(CLUSTER, ["HttpLoadBalancing"]),
    "2.3.2 and 2.3.4 in one update": gke_requests.enable_addons(CLUSTER, list(gke_requests.ADDONS)),
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
    "2.4 another number of nodes": gke_requests.resize_node_pool(CLUSTER, "tpus", 2),
    "6.2 delete the node pool": gke_requests.delete_node_pool(CLUSTER, "tpus"),
    "6.3 delete the cluster": gke_requests.delete_cluster(CLUSTER),
}


STORAGE_REQUESTS = {
    "3.1 create the bucket": storage_requests.create_bucket(
        "models", "my-project", location="us-central1", hierarchical_namespace=True
    ),
    "3.1 create the bucket where Google likes, without real folders": storage_requests.create_bucket(
        "models", "my-project", location="", hierarchical_namespace=False
    ),
    "3.1 uniform access of the bucket": storage_requests.use_uniform_access("models"),
    "3.2.2 make the model folder": storage_requests.create_folder("models", "gpt-oss-120b/"),
    "3.3 bucket role for the first member": Grant("models", "roles/storage.objectViewer", MEMBER).request(
        POLICY
    ),
    "3.3 bucket role for a further member": Grant("models", "roles/storage.objectUser", MEMBER).request(
        POLICY
    ),
    "6.4 bucket role taken back": Grant(
        "models", "roles/storage.objectUser", "user:other@example.com", wanted=False
    ).request(POLICY),
    "6.4 bucket role taken back from the last member": Grant(
        "models", "roles/storage.legacyBucketReader", "projectViewer:my-project", wanted=False
    ).request(POLICY),
    "6.5 delete the bucket when it is empty": storage_requests.delete_bucket("models"),
}


@pytest.mark.slow
@pytest.mark.clients
@pytest.mark.parametrize("kind", REQUESTS)
def test_gcloud_sends_what_the_runbook_sends(agreement: Agreement, kind: str) -> None:
    agreement.check(kind, REQUESTS[kind])


@pytest.mark.clients
@pytest.mark.parametrize("kind", STORAGE_REQUESTS)
def test_gcloud_sends_what_the_runbook_sends_to_cloud_storage(agreement: Agreement, kind: str) -> None:
    request = STORAGE_REQUESTS[kind]
    agreement.check(kind, request, "storage/v1", request.query)


@pytest.mark.clients
def test_gcloud_writes_the_runbooks_kubeconfig(agreement: Agreement, tmp_path: Path) -> None:
    variables = variables_with("provider=gke", "project=my-project", "cluster.name=demo")
    ((env, file, *argv),) = Workplace(StandIn(tmp_path), variables).manual("kube.credentials").commands
    assert (env, file.partition("=")[0]) == ("env", "KUBECONFIG")
    entry = Entry("gke_my-project_us-central1_demo", "https://34.1.2.3", "none", None)
    assert agreement.judged("4.1 kubeconfig", argv, written) == kubeconfig.merged({}, entry)


def written(gcloud: Gcloud, argv: Sequence[str]) -> Any:
    """Run get-credentials; give the file that it writes."""
    assert gcloud.sent(argv) == []
    return kubeconfig.read(Path(gcloud.environment["KUBECONFIG"]))


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
