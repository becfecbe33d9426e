"""Operations: their time, their order, and what a kill does to them."""

import time
from typing import Any

from tests.rehearsal.stand_in import CLUSTER, LOCATION, StandIn, eventually

POOLS = CLUSTER + "/nodePools"
POOL = {"name": "cpu", "initialNodeCount": 1, "config": {"machineType": "e2-standard-8"}}
FEATURE = {"update": {"desiredGatewayApiConfig": {"channel": "CHANNEL_STANDARD"}}}


def set_time_scale(stand_in: StandIn, scale: float) -> None:
    stand_in.control("PUT", "settings", {"time_scale": scale})


def start_pool(stand_in: StandIn) -> dict[str, Any]:
    answer = stand_in.ask("POST", POOLS, {"nodePool": POOL})
    assert answer.ok, answer.text
    operation: dict[str, Any] = answer.json()
    return operation


def test_an_operation_is_pending_then_running_then_done(stand_in: StandIn) -> None:
    stand_in.create_cluster()
    set_time_scale(stand_in, 1)
    operation = f"{LOCATION}/operations/{start_pool(stand_in)['name']}"
    assert stand_in.get(operation)["status"] == "PENDING"
    assert stand_in.get(POOLS + "/cpu")["status"] == "PROVISIONING"
    assert stand_in.get(CLUSTER)["status"] == "RECONCILING"
    set_time_scale(stand_in, 0.1)
    eventually(lambda: stand_in.get(operation)["status"] == "RUNNING")
    set_time_scale(stand_in, 0)
    assert stand_in.get(operation)["status"] == "DONE"
    assert stand_in.get(POOLS + "/cpu")["status"] == "RUNNING"
    assert stand_in.get(CLUSTER)["status"] == "RUNNING"


def test_an_operation_takes_its_scaled_time(stand_in: StandIn) -> None:
    stand_in.create_cluster()
    set_time_scale(stand_in, 0.005)
    started = time.monotonic()
    stand_in.wait(stand_in.ask("POST", POOLS, {"nodePool": POOL}))
    assert time.monotonic() - started >= 180 * 0.005


def test_a_second_operation_on_a_cluster_is_refused_meanwhile(stand_in: StandIn) -> None:
    stand_in.create_cluster()
    set_time_scale(stand_in, 1)
    running = stand_in.ask("PUT", CLUSTER, FEATURE).json()["name"]
    for method, path, body in (
        ("PUT", CLUSTER, FEATURE),
        ("DELETE", CLUSTER, None),
        ("POST", POOLS, {"nodePool": POOL}),
    ):
        answer = stand_in.ask(method, path, body)
        error = answer.json()["error"]
        assert (answer.status_code, error["status"]) == (400, "FAILED_PRECONDITION")
        assert error["message"] == f"Cluster is running incompatible operation {running}."
        assert error["details"][0]["reason"] == "CLUSTER_ALREADY_HAS_OPERATION"
        assert error["details"][0]["domain"] == "container.googleapis.com"


def test_node_pool_work_names_what_goes_on(stand_in: StandIn) -> None:
    stand_in.create_cluster()
    set_time_scale(stand_in, 1)
    running = start_pool(stand_in)["name"]
    answer = stand_in.ask("DELETE", POOLS + "/default-pool")
    assert answer.json()["error"]["message"] == (
        f"Operation {running} is currently creating a node pool for cluster demo."
        " Please wait and try again once it is done."
    )


def test_a_cluster_being_created_cannot_be_updated(stand_in: StandIn) -> None:
    set_time_scale(stand_in, 1)
    body = {"cluster": {"name": "demo", "initialNodeCount": 1}}
    assert stand_in.ask("POST", LOCATION + "/clusters", body).json()["status"] == "PENDING"
    assert stand_in.get(CLUSTER)["status"] == "PROVISIONING"
    answer = stand_in.ask("PUT", CLUSTER, FEATURE)
    assert "currently being created" in answer.json()["error"]["message"]


def test_operations_are_listed_oldest_first(stand_in: StandIn) -> None:
    stand_in.create_cluster()
    set_time_scale(stand_in, 1)
    start_pool(stand_in)
    listed = stand_in.get(LOCATION + "/operations")["operations"]
    assert [(item["operationType"], item["status"]) for item in listed] == [
        ("CREATE_CLUSTER", "DONE"),
        ("CREATE_NODE_POOL", "PENDING"),
    ]
    assert stand_in.get("/v1/projects/demo-project/locations/-/operations")["operations"] == listed
    assert stand_in.get("/v1/projects/demo-project/locations/europe-west4/operations") == {}


def test_an_operation_goes_on_after_a_kill(stand_in: StandIn) -> None:
    stand_in.create_cluster()
    set_time_scale(stand_in, 0.02)
    operation = f"{LOCATION}/operations/{start_pool(stand_in)['name']}"
    stand_in.kill()
    stand_in.up()
    assert stand_in.get(operation)["status"] in ("PENDING", "RUNNING")
    eventually(lambda: stand_in.get(operation)["status"] == "DONE")
    assert stand_in.get(POOLS + "/cpu")["status"] == "RUNNING"


def test_a_cancelled_operation_ends_without_its_effect(stand_in: StandIn) -> None:
    stand_in.create_cluster()
    set_time_scale(stand_in, 1)
    running = stand_in.ask("PUT", CLUSTER, FEATURE).json()["name"]
    operation = f"{LOCATION}/operations/{running}"
    assert stand_in.ask("POST", operation + ":cancel", {}).json() == {}
    assert stand_in.get(operation)["error"]["code"] == 1
    assert "gatewayApiConfig" not in stand_in.get(CLUSTER)["networkConfig"]
    assert stand_in.get(CLUSTER)["status"] == "RUNNING"
    assert stand_in.ask("POST", operation + ":cancel", {}).status_code == 400
