"""GKE's node pools over REST."""

from typing import Any

import pytest

from tests.rehearsal.stand_in import CLUSTER, StandIn

POOLS = CLUSTER + "/nodePools"
TPU_POOL = {
    "name": "tpu",
    "initialNodeCount": 1,
    "locations": ["us-central1-c"],
    "config": {"machineType": "tpu7x-standard-4t"},
}


def create(stand_in: StandIn, **fields: Any) -> dict[str, Any]:
    return stand_in.wait(stand_in.ask("POST", POOLS, {"nodePool": TPU_POOL | fields}))


def test_a_pool_on_a_cluster_with_a_workload_pool_gets_gke_metadata(stand_in: StandIn) -> None:
    stand_in.create_cluster()
    assert create(stand_in)["operationType"] == "CREATE_NODE_POOL"
    pool = stand_in.get(POOLS + "/tpu")
    assert (pool["status"], pool["locations"]) == ("RUNNING", ["us-central1-c"])
    assert pool["config"]["workloadMetadataConfig"] == {"mode": "GKE_METADATA"}
    assert pool["upgradeSettings"] == {"maxSurge": 1, "strategy": "SURGE"}
    assert [pool["name"] for pool in stand_in.get(POOLS)["nodePools"]] == ["default-pool", "tpu"]
    assert stand_in.get(CLUSTER)["currentNodeCount"] == 4


def test_the_metadata_mode_of_a_pool_can_be_changed(stand_in: StandIn) -> None:
    stand_in.create_cluster()
    create(
        stand_in,
        config={"machineType": "tpu7x-standard-4t", "workloadMetadataConfig": {"mode": "GCE_METADATA"}},
    )
    body = {"workloadMetadataConfig": {"mode": "GKE_METADATA"}}
    assert stand_in.wait(stand_in.ask("PUT", POOLS + "/tpu", body))["operationType"] == "UPGRADE_NODES"
    assert stand_in.get(POOLS + "/tpu")["config"]["workloadMetadataConfig"]["mode"] == "GKE_METADATA"


def test_surge_settings_and_size_can_be_changed(stand_in: StandIn) -> None:
    stand_in.create_cluster()
    create(stand_in)
    settings = {"upgradeSettings": {"maxSurge": 0, "maxUnavailable": 1}}
    stand_in.wait(stand_in.ask("PUT", POOLS + "/tpu", settings))
    assert stand_in.get(POOLS + "/tpu")["upgradeSettings"] == {"maxUnavailable": 1}
    stand_in.wait(stand_in.ask("POST", POOLS + "/tpu:setSize", {"nodeCount": 2}))
    assert stand_in.get(CLUSTER)["currentNodeCount"] == 5


def test_a_deleted_pool_is_gone(stand_in: StandIn) -> None:
    stand_in.create_cluster()
    create(stand_in)
    stand_in.wait(stand_in.ask("DELETE", POOLS + "/tpu"))
    assert stand_in.ask("GET", POOLS + "/tpu").status_code == 404
    assert stand_in.get(CLUSTER)["currentNodeCount"] == 3


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"placementPolicy": {"tpuTopology": "2x2x1"}},
            "TPU topology can't be specified with single-host TPU slice pool;"
            " please remove the tpu_topology from the node pool creation request",
        ),
        (
            {"locations": ["us-central1-a"]},
            "Machine type with name 'tpu7x-standard-4t' does not exist in zone 'us-central1-a'.",
        ),
        ({"locations": ["europe-west4-a"]}, 'Location "europe-west4-a" does not exist'),
        ({"name": "-tpu"}, "Invalid node pool name"),
        (
            {
                "config": {
                    "machineType": "tpu7x-standard-4t",
                    "reservationAffinity": {"consumeReservationType": "SPECIFIC_RESERVATION"},
                }
            },
            "exactly one reservation",
        ),
        ({"config": {"machineType": "tpu9-standard-4t"}}, "does not exist in zone"),
    ],
)
def test_what_gke_would_not_make_is_refused(
    cluster_of_module: StandIn, fields: dict[str, Any], words: str
) -> None:
    answer = cluster_of_module.ask("POST", POOLS, {"nodePool": TPU_POOL | fields})
    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]


def test_a_second_pool_of_the_same_name_is_refused(cluster_of_module: StandIn) -> None:
    answer = cluster_of_module.ask("POST", POOLS, {"nodePool": TPU_POOL | {"name": "default-pool"}})
    assert answer.status_code == 409
    assert answer.json()["error"]["message"].endswith("/clusters/demo/nodePools/default-pool.")


def test_gke_metadata_needs_a_workload_pool(stand_in: StandIn) -> None:
    stand_in.create_cluster(workloadIdentityConfig={})
    body = {"workloadMetadataConfig": {"mode": "GKE_METADATA"}}
    answer = stand_in.ask("PUT", POOLS + "/default-pool", body)
    assert answer.status_code == 400
    assert "workload pool" in answer.json()["error"]["message"]


@pytest.fixture(scope="module")
def cluster_of_module(shared_stand_in: StandIn) -> StandIn:
    """Give a stand-in with the cluster `demo`."""
    shared_stand_in.create_cluster()
    return shared_stand_in
