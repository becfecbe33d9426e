"""Faults, latency and the request log."""

from typing import Any

import pytest
import requests

from tests.rehearsal.stand_in import CLUSTER, LOCATION, StandIn

PROJECT = "/v1/projects/demo-project"


def statuses(stand_in: StandIn, count: int, path: str = PROJECT) -> list[int]:
    return [stand_in.ask("GET", path).status_code for _ in range(count)]


def test_every_request_is_logged_but_the_control_api(stand_in: StandIn) -> None:
    stand_in.get(PROJECT + "?alt=json")
    stand_in.ask("GET", CLUSTER)
    stand_in.ask("GET", PROJECT + "/services/container.googleapis.com")
    stand_in.ask("GET", "/storage/v1/b/no-such-bucket")
    requests.get(stand_in.endpoints["google"] + CLUSTER, timeout=5)
    logged = [(entry["api"], entry["method"], entry["path"], entry["status"]) for entry in stand_in.logged()]
    assert logged == [
        ("cloudresourcemanager", "GET", PROJECT + "?alt=json", 200),
        ("container", "GET", CLUSTER, 404),
        ("serviceusage", "GET", PROJECT + "/services/container.googleapis.com", 200),
        ("storage", "GET", "/storage/v1/b/no-such-bucket", 404),
        ("container", "GET", CLUSTER, 401),
    ]
    assert {type(entry["ms"]) for entry in stand_in.logged()} == {float}


def test_the_log_can_be_cleared_and_survives_a_restart(stand_in: StandIn) -> None:
    stand_in.get(PROJECT)
    stand_in.control("DELETE", "requests")
    assert stand_in.logged() == []
    stand_in.get(PROJECT)
    stand_in.down()
    stand_in.up()
    assert len(stand_in.logged()) == 1


def test_the_third_and_fourth_request_fail(stand_in: StandIn) -> None:
    stand_in.control("POST", "faults", {"path": "^/v1/projects/demo-project$", "after": 2, "times": 2})
    assert statuses(stand_in, 6) == [200, 200, 503, 503, 200, 200]
    assert [fault["seen"] for fault in stand_in.control("GET", "faults")] == [6]


def test_a_fault_has_its_status_message_and_retry_after(stand_in: StandIn) -> None:
    fault = {"api": "container", "status": 429, "message": "Too many.", "retry_after": 7, "reason": "QUOTA"}
    stand_in.control("POST", "faults", fault)
    answer = stand_in.ask("GET", CLUSTER)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    error = answer.json()["error"]
    assert (error["message"], error["status"]) == ("Too many.", "RESOURCE_EXHAUSTED")
    assert error["details"][0]["reason"] == "QUOTA"


def test_a_fault_strikes_only_what_it_names(stand_in: StandIn) -> None:
    stand_in.control("POST", "faults", {"api": "container", "method": "DELETE", "times": 9})
    assert stand_in.ask("GET", CLUSTER).status_code == 404
    assert stand_in.ask("DELETE", PROJECT).status_code == 400
    assert stand_in.ask("DELETE", CLUSTER).status_code == 503


def test_a_reset_drops_the_connection(stand_in: StandIn) -> None:
    stand_in.control("POST", "faults", {"kind": "reset", "api": "cloudresourcemanager"})
    with pytest.raises(requests.exceptions.ConnectionError):
        stand_in.ask("GET", PROJECT)
    assert stand_in.logged(status=0)
    assert statuses(stand_in, 1) == [200]


def test_one_bit_of_a_body_is_turned_over(stand_in: StandIn) -> None:
    right = stand_in.ask("GET", PROJECT).content
    stand_in.control("POST", "faults", {"kind": "flip", "bytes": 20, "path": PROJECT})
    wrong = stand_in.ask("GET", PROJECT).content
    assert [place for place, byte in enumerate(wrong) if byte != right[place]] == [20]


def test_a_truncated_body_ends_early(stand_in: StandIn) -> None:
    stand_in.control("POST", "faults", {"kind": "truncate", "bytes": 20, "path": PROJECT})
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="20 bytes read"):
        stand_in.ask("GET", PROJECT)


def test_a_stall_is_longer_than_the_client_waits(stand_in: StandIn) -> None:
    stand_in.control("POST", "faults", {"kind": "stall", "seconds": 1, "path": PROJECT})
    headers = {"Authorization": f"Bearer {stand_in.token}"}
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.get(stand_in.endpoints["google"] + PROJECT, headers=headers, timeout=0.3)


def test_faults_survive_a_kill_and_can_be_cleared(stand_in: StandIn) -> None:
    stand_in.control("POST", "faults", {"path": PROJECT, "after": 1})
    assert statuses(stand_in, 1) == [200]
    stand_in.kill()
    stand_in.up()
    assert statuses(stand_in, 1) == [503]
    stand_in.control("POST", "faults", {"path": PROJECT})
    stand_in.control("DELETE", "faults")
    assert statuses(stand_in, 1) == [200]
    assert stand_in.control("GET", "faults") == []


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ({"kind": "explosion"}, "kind is 'explosion'"),
        ({"status": 200}, "status is 200"),
        ({"path": "("}, "no regular expression"),
        ({"pth": "x"}, "no field 'pth'"),
        ({"times": "many"}, "times is 'many'"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(
    shared_stand_in: StandIn, fault: dict[str, Any], complaint: str
) -> None:
    answer = shared_stand_in.ask("POST", "/_rehearsal/faults", fault)
    assert answer.status_code == 400
    assert complaint in answer.json()["error"]["message"]


def test_latency_is_added_to_every_request(stand_in: StandIn) -> None:
    stand_in.control("PUT", "settings", {"latency_ms": 120})
    stand_in.get(PROJECT)
    assert stand_in.logged()[0]["ms"] >= 120


def test_settings_that_make_no_sense_are_refused(shared_stand_in: StandIn) -> None:
    for settings in ({"time_scale": -1}, {"time_scale": "fast"}, {"speed": 1}):
        assert shared_stand_in.ask("PUT", "/_rehearsal/settings", settings).status_code == 400


def test_an_operation_ends_with_the_error_that_was_asked_for(stand_in: StandIn) -> None:
    stand_in.create_cluster()
    fault = {"kind": "operation_error", "path": "/nodePools", "message": "[GCE_STOCKOUT]: no machines"}
    stand_in.control("POST", "faults", fault)
    pool = {"name": "tpu", "locations": ["us-central1-c"], "config": {"machineType": "tpu7x-standard-4t"}}
    done = stand_in.wait(stand_in.ask("POST", CLUSTER + "/nodePools", {"nodePool": pool}))
    assert done["error"] == {"code": 8, "message": "[GCE_STOCKOUT]: no machines"}
    assert done["statusMessage"] == "[GCE_STOCKOUT]: no machines"
    assert done["nodepoolConditions"][0]["code"] == "GCE_STOCKOUT"
    assert stand_in.get(CLUSTER + "/nodePools/tpu")["status"] == "ERROR"
    assert stand_in.get(CLUSTER)["status"] == "RUNNING"
    stand_in.wait(stand_in.ask("DELETE", CLUSTER + "/nodePools/tpu"))
    assert stand_in.ask("GET", CLUSTER + "/nodePools/tpu").status_code == 404
    stand_in.wait(stand_in.ask("POST", CLUSTER + "/nodePools", {"nodePool": pool}))
    assert stand_in.get(CLUSTER + "/nodePools/tpu")["status"] == "RUNNING"


def test_a_failed_cluster_stays_in_error(stand_in: StandIn) -> None:
    stand_in.control("POST", "faults", {"kind": "operation_error", "message": "no quota"})
    body = {"cluster": {"name": "demo", "initialNodeCount": 1}}
    done = stand_in.wait(stand_in.ask("POST", LOCATION + "/clusters", body))
    assert done["error"]["message"] == "no quota"
    cluster = stand_in.get(CLUSTER)
    assert (cluster["status"], cluster["conditions"][0]["message"]) == ("ERROR", "no quota")
    assert stand_in.ask("DELETE", CLUSTER + "/nodePools/default-pool").status_code == 400
    stand_in.wait(stand_in.ask("DELETE", CLUSTER))
    stand_in.create_cluster()
