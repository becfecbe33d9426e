"""Scenarios: named states of the stand-in."""

import re

from tests.rehearsal.stand_in import CLUSTER, LOCATION, StandIn, eventually

SYMPTOM = re.compile(r"s\d\d-")
"""Those are played by tests/doctor_diagnosis."""
NAMES = {"project": "demo-project", "cluster": "demo", "node_pool": "tpu"}
POOLS = CLUSTER + "/nodePools"
TPU_POOL = {
    "name": "tpu",
    "initialNodeCount": 1,
    "locations": ["us-central1-c"],
    "config": {"machineType": "tpu7x-standard-4t"},
}


def test_every_scenario_is_described_and_can_be_played(stand_in: StandIn) -> None:
    scenarios = stand_in.control("GET", "scenarios")
    assert {"empty", "existing-cluster", "stockout"} <= {item["name"] for item in scenarios}
    for scenario in scenarios:
        assert scenario["description"]
    for scenario in scenarios:
        if not SYMPTOM.match(scenario["name"]):
            stand_in.control("POST", "scenarios/existing-cluster", NAMES)
            stand_in.control("POST", f"scenarios/{scenario['name']}", NAMES)


def test_an_unknown_scenario_is_refused_with_the_known_ones(stand_in: StandIn) -> None:
    answer = stand_in.ask("POST", "/_rehearsal/scenarios/flood", {})
    assert answer.status_code == 404
    assert "existing-cluster" in answer.json()["error"]["message"]


def test_existing_cluster_has_its_features_off(stand_in: StandIn) -> None:
    stand_in.control("POST", "scenarios/existing-cluster", NAMES)
    cluster = stand_in.get(CLUSTER)
    assert cluster["status"] == "RUNNING"
    assert "workloadIdentityConfig" not in cluster
    assert cluster["addonsConfig"]["httpLoadBalancing"] == {"disabled": True}
    assert "gcsFuseCsiDriverConfig" not in cluster["addonsConfig"]
    pool = stand_in.get(POOLS + "/tpu")
    assert pool["config"]["workloadMetadataConfig"] == {"mode": "GCE_METADATA"}
    assert pool["locations"] == ["us-central1-c"]


def test_empty_forgets_everything_but_the_settings(stand_in: StandIn) -> None:
    stand_in.create_cluster()
    created = stand_in.ask("POST", "/storage/v1/b?project=demo-project", {"name": "models"})
    assert created.ok, created.text
    upload = "/upload/storage/v1/b/models/o?uploadType=media&name=weights"
    assert stand_in.ask("POST", upload, {"some": "bytes"}).ok
    stand_in.control("POST", "faults", {"api": "hub"})
    stand_in.control("PUT", "settings", {"time_scale": 0.5})
    stand_in.control("POST", "scenarios/empty")
    status = stand_in.control("GET", "status")
    assert (status["clusters"], status["buckets"]) == ([], [])
    assert stand_in.control("GET", "faults") == []
    assert stand_in.logged() == []
    assert not [path for path in (stand_in.home / "storage").rglob("*") if path.is_file()]
    assert stand_in.get(LOCATION + "/operations") == {}
    assert stand_in.control("GET", "settings")["time_scale"] == 0.5


def test_stockout_ends_the_operation_of_the_next_node_pool(stand_in: StandIn) -> None:
    stand_in.create_cluster()
    stand_in.control("POST", "scenarios/stockout", NAMES)
    done = stand_in.wait(stand_in.ask("POST", POOLS, {"nodePool": TPU_POOL}))
    assert "GCE_STOCKOUT" in done["error"]["message"]
    assert "us-central1-c" in done["error"]["message"]


def test_reservation_short_refuses_the_next_node_pool(stand_in: StandIn) -> None:
    stand_in.create_cluster()
    stand_in.control("POST", "scenarios/reservation-short", NAMES | {"reservation": "mine"})
    answer = stand_in.ask("POST", POOLS, {"nodePool": TPU_POOL})
    assert answer.status_code == 429
    assert 'specific reservation "mine" is insufficient for node pool "tpu"' in answer.text.replace("\\", "")
    stand_in.wait(stand_in.ask("POST", POOLS, {"nodePool": TPU_POOL}))


def test_busy_cluster_refuses_for_some_seconds(stand_in: StandIn) -> None:
    stand_in.create_cluster()
    stand_in.control("POST", "scenarios/busy-cluster", NAMES | {"seconds": 0.5})
    refused = stand_in.ask("POST", POOLS, {"nodePool": TPU_POOL})
    assert refused.status_code == 400
    running = refused.json()["error"]["message"].rpartition(" ")[2].rstrip(".")
    operation = f"{LOCATION}/operations/{running}"
    assert stand_in.get(operation)["operationType"] == "UPGRADE_MASTER"
    eventually(lambda: stand_in.get(operation)["status"] == "DONE")
    stand_in.wait(stand_in.ask("POST", POOLS, {"nodePool": TPU_POOL}))


def test_flaky_storage_fails_three_uploads(stand_in: StandIn) -> None:
    stand_in.ask("POST", "/storage/v1/b?project=demo-project", {"name": "models"})
    stand_in.control("POST", "scenarios/flaky-storage")
    upload = "/upload/storage/v1/b/models/o?uploadType=media&name=weights"
    statuses = [stand_in.ask("POST", upload, {"some": "bytes"}).status_code for _ in range(4)]
    assert statuses == [503, 503, 503, 200]
