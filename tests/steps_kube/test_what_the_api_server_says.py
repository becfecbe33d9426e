"""Each refusal of the API server is one of the project's errors, with the server's own words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runbook.clients.kube.failures import AbsentError, GoneError, ImmutableFieldError, of_answer
from runbook.engine.errors import (
    CapacityError,
    ConflictError,
    CredentialsError,
    ManifestError,
    PassingError,
    Place,
    RefusedError,
    RunbookError,
)
from runbook.steps.kube.difference import differences
from tests.steps_kube.deployment_place import Place as Deployed

TYPED = "failed to create typed patch object (default/a; apps/v1): .spec.replica: field not declared"
DENIED = 'admission webhook "images.team" denied the request: containers cannot use images from docker.io'
OWNED = {"causes": [{"field": ".spec.replicas", "message": 'conflict with "autoscaler"'}]}


@pytest.mark.parametrize(
    ("status", "message", "details", "error"),
    [
        (400, "strict decoding error: unknown field spec.x", {}, ManifestError),
        (401, "Unauthorized", {}, CredentialsError),
        (403, 'pods is forbidden: User "a" cannot list resource "pods"', {}, CredentialsError),
        (403, "pods is forbidden: exceeded quota: small", {}, CapacityError),
        (403, DENIED, {}, RefusedError),
        (403, "only dynamically provisioned pvc can be resized", {}, RefusedError),
        (404, 'namespaces "serving" not found', {}, AbsentError),
        (409, "Apply failed with 1 conflict", OWNED, ConflictError),
        (409, "the object has been modified", {}, PassingError),
        (410, "too old resource version: 1 (9)", {}, GoneError),
        (422, "spec.replicas: Invalid value: must not be negative", {}, ManifestError),
        (422, "spec.selector: Invalid value: field is immutable", {}, ImmutableFieldError),
        (429, "too many requests", {}, PassingError),
        (500, TYPED, {}, ManifestError),
        (500, "etcdserver: request timed out", {}, PassingError),
        (503, "apiserver is shutting down", {}, PassingError),
        (418, "teapot", {}, RefusedError),
    ],
)
def test_a_refusal_is_one_error(
    status: int, message: str, details: dict[str, Any], error: type[RunbookError]
) -> None:
    body = json.dumps({"kind": "Status", "message": message, "details": details})
    found = of_answer(status, body, Place("PATCH /apis/apps/v1"))
    assert type(found) is error or (isinstance(found, error) and error is ConflictError)
    assert str(found.place) == "PATCH /apis/apps/v1"


def test_a_conflict_names_field_and_manager() -> None:
    body = json.dumps({"message": "Apply failed", "details": OWNED})
    message = of_answer(409, body, Place("PATCH")).message
    assert ".spec.replicas" in message
    assert "autoscaler" in message


def test_the_time_that_the_server_asks_for_is_kept() -> None:
    found = of_answer(429, "slow down", Place("GET"), {"Retry-After": "7"})
    assert isinstance(found, PassingError)
    assert found.retry_after == 7


def deployment(arguments: list[str], **containers: str) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "a", "resourceVersion": str(len(arguments)), "generation": len(arguments)},
        "spec": {"containers": [{"name": "server", "args": arguments, **containers}]},
        "status": {"replicas": len(arguments)},
    }


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (deployment(["--a=1"]), deployment(["--a=1"]), []),
        (
            deployment(["--a=1", "--b"]),
            deployment(["--a=2"]),
            [("[--a]", "1", "2"), ("[--b]", "given", None)],
        ),
        (
            deployment(["--a=1", "--b=2"]),
            deployment(["--b=2", "--a=1"]),
            [("", ["--a=1", "--b=2"], ["--b=2", "--a=1"])],
        ),
    ],
    ids=["only what the server keeps", "flags", "order"],
)
def test_differences_name_the_field(before: Any, after: Any, told: list[tuple[str, Any, Any]]) -> None:
    path = "deployment/a.spec.containers[server].args"
    found = [(item.path.removeprefix(path), item.before, item.after) for item in differences(before, after)]
    assert found == told


def test_kinds_that_had_to_be_asked_for_are_kept_in_the_projects_own_folder(deployed: Deployed) -> None:
    with deployed.cluster() as cluster:
        assert cluster.list("apps/v1", "ReplicaSet", "default")
        assert not list((deployed.home / ".runs").glob("kinds-*.json"))
        cluster.list("discovery.k8s.io/v1", "EndpointSlice", "default")
    assert list((deployed.home / ".runs").glob("kinds-*.json"))
