"""What Google's refusals become: one cause in Google's words, one place, and where there is one a remedy."""

from __future__ import annotations

from typing import Any

import pytest

from runbook.clients.connections import Connections
from runbook.clients.gke_requests import ClusterName, GkeRequest, enable_gateway_api
from runbook.clients.google_errors import BusyError
from runbook.engine.errors import (
    CapacityError,
    ConflictError,
    CredentialsError,
    MissingError,
    PassingError,
    RefusedError,
    RunbookError,
)
from tests.rehearsal.stand_in import StandIn

WRITE: GkeRequest = enable_gateway_api(ClusterName("demo-project", "us-central1", "demo"))

REFUSALS: list[tuple[int, str, type[RunbookError]]] = [
    (400, "Cluster is running incompatible operation operation-1.", BusyError),
    (400, "Operation operation-1 is currently creating a node pool for cluster demo.", BusyError),
    (
        400,
        "Cluster is currently being created, deleted, updated or repaired and cannot be updated.",
        BusyError,
    ),
    (429, 'Too many operations: cluster "demo" hits the concurrent operations quota 5.', BusyError),
    (429, "Reservation does not have enough resources for the request: short of 1 VM count.", CapacityError),
    (403, "Insufficient regional quota to satisfy request: resource TPUS.", CapacityError),
    (429, "Quota exceeded for quota metric 'Requests'.", PassingError),
    (403, 'Required "container.clusters.update" permission(s) for "demo".', CredentialsError),
    (404, "Not found: projects/demo-project/locations/us-central1/clusters/demo.", MissingError),
    (409, "Already exists: projects/demo-project/locations/us-central1/clusters/demo.", ConflictError),
    (400, "Invalid value at 'cluster'.", RefusedError),
    (503, "The service is currently unavailable.", PassingError),
]


@pytest.mark.parametrize(("status", "message", "kind"), REFUSALS)
def test_a_refused_write(
    cloud: StandIn, connections: Connections, status: int, message: str, kind: type[RunbookError]
) -> None:
    fault = {"api": "container", "method": "PUT", "status": status, "message": message}
    cloud.control("POST", "faults", fault)
    with pytest.raises(RunbookError) as caught:
        connections.gke.send(WRITE)
    assert type(caught.value) is kind
    assert caught.value.message.startswith(message.rstrip("."))
    assert str(caught.value.place) == f"PUT {cloud.endpoints['google']}/v1/{WRITE.path}"


def test_an_api_that_is_off_is_told_apart_from_a_missing_permission(
    cloud: StandIn, connections: Connections
) -> None:
    fault = {"method": "PUT", "status": 403, "message": "It is off.", "reason": "SERVICE_DISABLED"}
    cloud.control("POST", "faults", fault)
    with pytest.raises(RefusedError):
        connections.gke.send(WRITE)


def test_a_login_that_has_ended_says_how_to_log_in(cloud: StandIn, connections: Connections) -> None:
    cloud.control("POST", "faults", {"api": "container", "status": 401, "times": 9})
    with pytest.raises(CredentialsError) as caught:
        connections.gke.send(WRITE)
    assert caught.value.remedy == "run `inv rehearsal.down rehearsal.up`"


def test_the_token_file_is_read_again_when_its_token_is_refused(
    cloud: StandIn, connections: Connections
) -> None:
    connections.gke.clusters("demo-project")
    connections.credentials.token = "an old one"
    assert connections.gke.clusters("demo-project") == []


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 429, "retry_after": 1}, {"kind": "reset"}])
def test_a_read_is_tried_again(cloud: StandIn, connections: Connections, fault: dict[str, Any]) -> None:
    cloud.control("POST", "faults", {"api": "container", "method": "GET"} | fault)
    assert connections.gke.clusters("demo-project") == []


def test_a_write_is_never_sent_twice(cloud: StandIn, connections: Connections) -> None:
    cloud.control("DELETE", "requests")
    cloud.control("POST", "faults", {"kind": "reset", "method": "PUT", "times": 3})
    with pytest.raises(PassingError):
        connections.gke.send(WRITE)
    assert len(cloud.logged(method="PUT", api="container")) == 1


def test_a_revision_that_is_not_there_names_the_variable(cloud: StandIn, connections: Connections) -> None:
    with pytest.raises(RefusedError) as caught:
        connections.hub.model("rehearsal/gpt-oss-tiny", "no-such-revision")
    assert "checkpoint.revision" in str(caught.value.remedy)
