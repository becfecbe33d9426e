"""Networks of one's own and shared ones, private nodes, reservations of other projects, versions too old."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from runbook.engine.errors import ConflictError, RefusedError
from runbook.engine.outcome import Status
from tests.shapes.clouds import cluster_of, cluster_path, make_cluster
from tests.shapes.conftest import Shaped

HOST = "projects/host-project"
SHARED = (
    f"cluster.network={HOST}/global/networks/shared",
    f"cluster.subnetwork={HOST}/regions/us-central1/subnetworks/tpus",
    "cluster.pod_range=pods",
    "cluster.service_range=services",
)
RESERVATION = "projects/owner-project/reservations/shared"


def pool_of(cluster: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(pool for pool in cluster["nodePools"] if pool["name"] == name)
    return found


def test_a_network_of_ones_own(shaped: Shaped) -> None:
    work = shaped("cluster.network=research", "cluster.subnetwork=tpus")
    work.converges("gke.cluster")
    config = cluster_of(work)["networkConfig"]
    assert config["network"] == "projects/demo-project/global/networks/research"
    assert config["subnetwork"] == "projects/demo-project/regions/us-central1/subnetworks/tpus"


def test_a_network_that_another_project_shares(shaped: Shaped) -> None:
    work = shaped(*SHARED)
    work.converges("gke.cluster")
    found = cluster_of(work)
    assert found["networkConfig"]["network"] == f"{HOST}/global/networks/shared"
    assert found["ipAllocationPolicy"]["clusterSecondaryRangeName"] == "pods"
    work.converges("gke.node_pool")


def test_a_subnetwork_of_another_region_is_refused_in_googles_words(shaped: Shaped) -> None:
    elsewhere = f"cluster.subnetwork={HOST}/regions/europe-west4/subnetworks/tpus"
    error = shaped(SHARED[0], elsewhere, *SHARED[2:]).apply("gke.cluster").error
    assert isinstance(error, RefusedError)
    assert 'the cluster is in region "us-central1"' in error.message


def test_private_nodes_are_asked_for_on_the_cluster_and_on_the_pool(shaped: Shaped) -> None:
    work = shaped("cluster.private_nodes=true")
    work.converges("gke.cluster")
    (change,) = work.converges("gke.node_pool")
    assert "--enable-private-nodes" in change.command
    found = cluster_of(work)
    assert found["networkConfig"]["defaultEnablePrivateNodes"]
    assert pool_of(found, work.variables.node_pool.name)["networkConfig"]["enablePrivateNodes"]


def test_a_reservation_of_another_project(shaped: Shaped) -> None:
    work = shaped(f"node_pool.reservation={RESERVATION}")
    work.apply("gke.cluster")
    (change,) = work.converges("gke.node_pool")
    assert f"--reservation={RESERVATION}" in change.command
    pool = pool_of(cluster_of(work), work.variables.node_pool.name)
    assert pool["config"]["reservationAffinity"] == {
        "consumeReservationType": "SPECIFIC_RESERVATION",
        "key": "compute.googleapis.com/reservation-name",
        "values": [RESERVATION],
    }


def test_a_pool_of_the_project_s_own_reservation_is_another_one(shaped: Shaped) -> None:
    shaped("node_pool.reservation=shared").apply("gke.cluster", "gke.node_pool")
    error = shaped(f"node_pool.reservation={RESERVATION}").check("gke.node_pool").error
    assert isinstance(error, ConflictError)
    assert RESERVATION in error.message


def test_gke_refuses_a_reservation_that_is_neither_name_nor_path(shaped: Shaped) -> None:
    work = shaped()
    make_cluster(work)
    pool = {
        "name": "tpus",
        "initialNodeCount": 1,
        "locations": ["us-central1-c"],
        "config": {
            "machineType": "tpu7x-standard-4t",
            "reservationAffinity": {
                "consumeReservationType": "SPECIFIC_RESERVATION",
                "key": "compute.googleapis.com/reservation-name",
                "values": ["owner-project/shared"],
            },
        },
    }
    answer = work.cloud.ask("POST", f"{cluster_path(work)}/nodePools", {"nodePool": pool})
    assert answer.status_code == 400


MINIMUMS = [
    (
        'volume.mount_options=["implicit-dirs","read_ahead_kb=1024"]',
        "read_ahead_kb=1024",
        "1.32.2-gke.1297001",
    ),
    ('volume.mount_options=["read:enable-buffered-read:true"]', "enable-buffered-read", "1.34.0-gke.2011000"),
]


@pytest.mark.parametrize(("setting", "named", "minimum"), MINIMUMS)
@pytest.mark.parametrize("uses", ["gke.addon", "kube.apply"])
def test_a_mount_option_that_the_version_does_not_know_names_the_minimum(
    shaped: Shaped, setting: str, named: str, minimum: str, uses: str
) -> None:
    work = shaped(setting)
    make_cluster(work, initialClusterVersion="1.31")
    arguments = {"addon": "GcsFuseCsiDriver"} if uses == "gke.addon" else {"template": "vllm-tpu.yaml.j2"}
    error = work.checked_without_a_write(uses, **arguments).error
    assert isinstance(error, RefusedError)
    assert named in error.message
    assert error.message.endswith(f"needs {minimum}")
    assert f"--cluster-version={minimum}" in str(error.remedy)


def test_a_version_that_knows_the_options_is_left_alone(shaped: Shaped) -> None:
    work = shaped('volume.mount_options=["read_ahead_kb=1024","enable-buffered-read"]')
    make_cluster(work, initialClusterVersion="1.34.1-gke.1829001")
    assert work.check("gke.addon", addon="GcsFuseCsiDriver").status is Status.WOULD_CHANGE


ON: dict[str, dict[str, Any]] = {
    "gke.workload_identity": {"workloadIdentityConfig": {"workloadPool": "demo-project.svc.id.goog"}},
    "gke.gateway_api": {"networkConfig": {"gatewayApiConfig": {"channel": "CHANNEL_STANDARD"}}},
    "gke.addon": {"addonsConfig": {"httpLoadBalancing": {}, "gcsFuseCsiDriverConfig": {"enabled": True}}},
}
SUBSETS = [subset for size in range(len(ON) + 1) for subset in combinations(ON, size)]


@pytest.mark.parametrize("on", SUBSETS, ids=["+".join(subset) or "nothing" for subset in SUBSETS])
def test_of_a_cluster_with_features_partly_on_only_the_others_are_changed(
    shaped: Shaped, on: tuple[str, ...]
) -> None:
    work = shaped()
    fields: dict[str, Any] = {}
    for uses in on:
        fields |= ON[uses]
    make_cluster(work, **fields)
    before = len(work.writes())
    for uses in ON:
        outcome = work.apply(uses, **({"addon": "GcsFuseCsiDriver"} if uses == "gke.addon" else {}))
        assert outcome.status is (Status.OK if uses in on else Status.CHANGED), uses
    assert len(work.writes()) - before == len(ON) - len(on)
