"""Server-side apply through the official Python client."""

from __future__ import annotations

import copy
from typing import Any

import pytest


def _apply(client: Any, manifest: dict[str, Any], manager: str = "runbook", **query: str) -> dict[str, Any]:
    resource = client.resources.get(api_version=manifest["apiVersion"], kind=manifest["kind"])
    parameters = [("fieldManager", manager), *query.items()]
    applied = client.server_side_apply(resource, body=copy.deepcopy(manifest), query_params=parameters)
    result: dict[str, Any] = applied.to_dict()
    return result


def _version(obj: dict[str, Any]) -> str:
    version: str = obj["metadata"]["resourceVersion"]
    return version


def _container(obj: dict[str, Any]) -> dict[str, Any]:
    container: dict[str, Any] = obj["spec"]["template"]["spec"]["containers"][0]
    return container


def test_the_first_apply_creates_the_object_with_defaults(client: Any, deployment: dict[str, Any]) -> None:
    applied = _apply(client, deployment)

    assert applied["metadata"]["generation"] == 1
    assert applied["spec"]["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"},
    }
    assert applied["spec"]["progressDeadlineSeconds"] == 600
    assert _container(applied)["terminationMessagePath"] == "/dev/termination-log"
    assert _container(applied)["ports"] == [{"containerPort": 8000, "protocol": "TCP"}]


def test_the_applied_fields_are_owned_and_the_defaults_are_not(
    client: Any, deployment: dict[str, Any]
) -> None:
    entry = _apply(client, deployment)["metadata"]["managedFields"][0]

    assert (entry["manager"], entry["operation"]) == ("runbook", "Apply")
    assert set(entry["fieldsV1"]["f:spec"]) == {"f:replicas", "f:selector", "f:template"}
    containers = entry["fieldsV1"]["f:spec"]["f:template"]["f:spec"]["f:containers"]
    owned = containers['k:{"name":"vllm-tpu"}']
    assert owned["."] == {}
    assert owned["f:ports"] == {'k:{"containerPort":8000,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}}
    assert "f:terminationMessagePath" not in owned


def test_the_same_apply_again_changes_nothing(client: Any, deployment: dict[str, Any]) -> None:
    _container(deployment)["resources"]["limits"]["memory"] = "2048Mi"
    first = _apply(client, deployment)
    again = _apply(client, deployment)

    assert again == first
    assert _container(again)["resources"]["limits"]["memory"] == "2Gi"


def test_a_dry_run_tells_the_result_and_writes_nothing(client: Any, deployment: dict[str, Any]) -> None:
    live = _apply(client, deployment)
    deployment["spec"]["replicas"] = 5

    planned = _apply(client, deployment, dryRun="All")

    assert planned["spec"]["replicas"] == 5
    assert planned["metadata"]["generation"] == 2
    found = (
        client.resources.get(api_version="apps/v1", kind="Deployment").get("vllm-tpu", "default").to_dict()
    )
    assert found == live


def test_a_dry_run_of_a_new_object_creates_none(client: Any, deployment: dict[str, Any]) -> None:
    planned = _apply(client, deployment, dryRun="All")

    assert "resourceVersion" not in planned["metadata"]
    assert client.resources.get(api_version="apps/v1", kind="Deployment").get(namespace="default").items == []


def test_another_managers_field_is_a_conflict_with_its_cause(client: Any, deployment: dict[str, Any]) -> None:
    from kubernetes.dynamic.exceptions import ConflictError

    _apply(client, deployment)
    other = {**deployment, "spec": {"replicas": 3}}
    with pytest.raises(ConflictError) as refused:
        _apply(client, other, manager="kubectl")

    status = _status(refused.value)
    assert status["reason"] == "Conflict"
    assert status["message"] == 'Apply failed with 1 conflict: conflict with "runbook": .spec.replicas'
    assert status["details"]["causes"] == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "runbook"', "field": ".spec.replicas"}
    ]


def test_force_takes_the_field_over(client: Any, deployment: dict[str, Any]) -> None:
    _apply(client, deployment)
    taken = _apply(client, {**deployment, "spec": {"replicas": 3}}, manager="kubectl", force="true")

    assert taken["spec"]["replicas"] == 3
    owners = {entry["manager"]: entry["fieldsV1"]["f:spec"] for entry in taken["metadata"]["managedFields"]}
    assert owners["kubectl"] == {"f:replicas": {}}
    assert "f:replicas" not in owners["runbook"]


def test_the_same_value_may_have_two_owners(client: Any, deployment: dict[str, Any]) -> None:
    _apply(client, deployment)
    _apply(client, {**deployment, "spec": {"replicas": 1}}, manager="kubectl")
    del deployment["spec"]["replicas"]

    assert _apply(client, deployment)["spec"]["replicas"] == 1


def test_what_is_no_longer_applied_is_removed(client: Any, deployment: dict[str, Any]) -> None:
    deployment["spec"]["strategy"] = {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
    deployment["metadata"]["labels"] = {"team": "a"}
    _apply(client, deployment)
    del _container(deployment)["env"]
    del deployment["metadata"]["labels"]
    del deployment["spec"]["strategy"]

    applied = _apply(client, deployment)

    assert "env" not in _container(applied)
    assert "labels" not in applied["metadata"]
    assert applied["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": "25%", "maxUnavailable": "25%"}


def test_items_that_others_added_to_a_list_stay(client: Any, deployment: dict[str, Any]) -> None:
    _apply(client, deployment)
    sidecar = {
        "metadata": deployment["metadata"],
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "spec": {"template": {"spec": {"containers": [{"name": "sidecar", "image": "busybox:1"}]}}},
    }
    _apply(client, sidecar, manager="injector")
    _container(deployment)["image"] = "vllm/vllm-tpu:v0.14.0"

    applied = _apply(client, deployment)

    images = [container["image"] for container in applied["spec"]["template"]["spec"]["containers"]]
    assert images == ["vllm/vllm-tpu:v0.14.0", "busybox:1"]


def test_a_plain_write_takes_ownership(client: Any, deployment: dict[str, Any]) -> None:
    from kubernetes.dynamic.exceptions import ConflictError

    _apply(client, deployment)
    resource = client.resources.get(api_version="apps/v1", kind="Deployment")
    resource.patch(
        name="vllm-tpu",
        namespace="default",
        body={"spec": {"replicas": 4}},
        content_type="application/merge-patch+json",
        field_manager="kubectl-scale",
    )

    with pytest.raises(ConflictError) as refused:
        _apply(client, deployment)
    assert 'conflict with "kubectl-scale" using apps/v1' in _status(refused.value)["message"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"replica": 2}, ".spec.replica: field not declared in schema"),
        ({"replicas": "two"}, ".spec.replicas: expected numeric (int or float), got string"),
        ({"paused": "yes"}, '.spec.paused: expected boolean, got &value.valueUnstructured{Value:"yes"}'),
    ],
)
def test_a_manifest_of_the_wrong_type_is_a_500_that_names_the_field(
    client: Any, deployment: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    from kubernetes.dynamic.exceptions import InternalServerError

    deployment["spec"].update(change)
    with pytest.raises(InternalServerError) as refused:
        _apply(client, deployment)
    assert _status(refused.value)["message"] == (
        f"failed to create typed patch object (default/vllm-tpu; apps/v1, Kind=Deployment): {message}"
    )


def test_a_duplicate_list_key_is_a_500(client: Any, deployment: dict[str, Any]) -> None:
    from kubernetes.dynamic.exceptions import InternalServerError

    env = _container(deployment)["env"]
    env.append(dict(env[0]))
    with pytest.raises(InternalServerError) as refused:
        _apply(client, deployment)
    assert 'env: duplicate entries for key [name="HF_HUB_OFFLINE"]' in _status(refused.value)["message"]


def test_an_apply_needs_a_field_manager(client: Any, deployment: dict[str, Any]) -> None:
    from kubernetes.dynamic.exceptions import UnprocessibleEntityError

    resource = client.resources.get(api_version="apps/v1", kind="Deployment")
    with pytest.raises(UnprocessibleEntityError) as refused:
        client.server_side_apply(resource, body=deployment)
    assert "fieldManager: Required value: is required for apply patch" in _status(refused.value)["message"]


def test_rolling_update_to_recreate_is_refused_even_with_a_null(
    client: Any, deployment: dict[str, Any]
) -> None:
    from kubernetes.dynamic.exceptions import UnprocessibleEntityError

    _apply(client, deployment)
    deployment["spec"]["strategy"] = {"type": "Recreate", "rollingUpdate": None}
    with pytest.raises(UnprocessibleEntityError) as refused:
        _apply(client, deployment)
    assert _status(refused.value)["message"] == (
        'Deployment.apps "vllm-tpu" is invalid: spec.strategy.rollingUpdate: Forbidden: may not be specified'
        " when strategy `type` is 'Recreate'"
    )


def test_a_stale_resource_version_is_a_conflict_without_causes(
    client: Any, deployment: dict[str, Any]
) -> None:
    from kubernetes.dynamic.exceptions import ConflictError

    first = _apply(client, deployment)
    deployment["spec"]["replicas"] = 2
    _apply(client, deployment)
    deployment["metadata"]["resourceVersion"] = _version(first)

    with pytest.raises(ConflictError) as refused:
        _apply(client, deployment)
    status = _status(refused.value)
    assert "the object has been modified" in status["message"]
    assert "causes" not in status["details"]


def test_status_is_not_taken_from_an_apply(client: Any, deployment: dict[str, Any]) -> None:
    deployment["status"] = {"replicas": 9}
    assert "status" not in _apply(client, deployment)


def _status(error: Any) -> dict[str, Any]:
    import json

    status: dict[str, Any] = json.loads(error.body)
    return status
