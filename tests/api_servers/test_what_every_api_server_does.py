"""What the project leans on, asked of the stand-in's API server and of the real one by the same tests."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from runbook.clients.kube.client import KubeClient
from runbook.clients.kube.failures import FieldConflictError
from runbook.clients.kube.line import Line
from runbook.clients.kube.objects import Object, Reference, Selection
from runbook.engine.errors import ManifestError
from runbook.steps.kube.difference import differences

SET = {"applyset.kubernetes.io/part-of": "applyset-runbook-v1"}


@pytest.fixture
def deployment() -> Object:
    """A small Deployment with a name of its own."""
    name = f"server-{secrets.token_hex(4)}"
    labels = {"app": name}
    container = {"name": "server", "image": "vllm/vllm-tpu:v0.13.2", "ports": [{"containerPort": 8000}]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
    }


def settings(**data: str) -> Object:
    """A ConfigMap with a name of its own."""
    metadata = {"name": f"settings-{secrets.token_hex(4)}", "namespace": "default"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def apply(client: KubeClient, wanted: Object, manager: str = "runbook", **options: Any) -> Object:
    return client.apply(wanted, field_manager=manager, **{"force": False, **options})


def version(found: Object) -> str:
    return str(found["metadata"]["resourceVersion"])


def test_the_first_apply_creates_with_defaults_that_nobody_owns(
    client: KubeClient, deployment: Object
) -> None:
    applied = apply(client, deployment)
    assert applied["spec"]["progressDeadlineSeconds"] == 600
    assert applied["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": "25%", "maxUnavailable": "25%"}
    [entry] = applied["metadata"]["managedFields"]
    assert (entry["manager"], entry["operation"]) == ("runbook", "Apply")
    assert set(entry["fieldsV1"]["f:spec"]) == {"f:replicas", "f:selector", "f:template"}


def test_the_same_apply_again_changes_nothing(client: KubeClient, deployment: Object) -> None:
    first, again = apply(client, deployment), apply(client, deployment)
    assert version(again) == version(first)
    assert again["metadata"]["managedFields"] == first["metadata"]["managedFields"]


def test_a_dry_run_equals_what_is_there_where_nothing_would_change(
    client: KubeClient, deployment: Object
) -> None:
    live = apply(client, deployment)
    assert differences(live, apply(client, deployment, dry_run=True)) == []


def test_a_dry_run_tells_the_difference_and_writes_nothing(client: KubeClient, deployment: Object) -> None:
    live = apply(client, deployment)
    deployment["spec"]["replicas"] = 5
    [found] = differences(live, apply(client, deployment, dry_run=True))
    assert (found.before, found.after) == (1, 5)
    assert found.path.endswith(".spec.replicas")
    kept = client.get(Reference.to(deployment))
    assert kept is not None
    assert version(kept) == version(live)


def test_a_field_of_somebody_else_is_a_conflict_that_force_ends(
    client: KubeClient, deployment: Object
) -> None:
    apply(client, deployment, manager="kubectl")
    deployment["spec"]["replicas"] = 3
    with pytest.raises(FieldConflictError) as refused:
        apply(client, deployment)
    assert refused.value.managers == {"kubectl"}
    assert ".spec.replicas" in refused.value.message
    assert apply(client, deployment, force=True)["spec"]["replicas"] == 3
    deployment["spec"]["replicas"] = 1
    with pytest.raises(FieldConflictError) as lost:
        apply(client, deployment, manager="kubectl")
    assert lost.value.managers == {"runbook"}


def test_a_field_that_is_applied_no_more_goes_away(client: KubeClient) -> None:
    wanted = settings(kept="1", gone="2")
    apply(client, wanted)
    del wanted["data"]["gone"]
    assert apply(client, wanted)["data"] == {"kept": "1"}


@pytest.mark.parametrize("spec", [{"replica": 1}, {"replicas": "many"}])
def test_what_does_not_fit_the_schema_is_a_wrong_manifest(
    client: KubeClient, deployment: Object, spec: dict[str, Any]
) -> None:
    deployment["spec"] |= spec
    with pytest.raises(ManifestError):
        apply(client, deployment)
    assert client.get(Reference.to(deployment)) is None


def test_what_may_never_change_is_refused(client: KubeClient, deployment: Object) -> None:
    apply(client, deployment)
    other = {"app": "another"}
    deployment["spec"]["selector"] = {"matchLabels": other}
    deployment["spec"]["template"]["metadata"]["labels"] = other
    with pytest.raises(ManifestError, match="immutable"):
        apply(client, deployment, force=True)


def test_a_merge_patch_changes_one_field(client: KubeClient) -> None:
    wanted = settings(kept="1", gone="2")
    apply(client, wanted)
    patched = client.merge_patch(Reference.to(wanted), {"data": {"gone": None}}, field_manager="somebody")
    assert patched["data"] == {"kept": "1"}


def test_what_is_deleted_is_gone_and_to_delete_it_again_is_no_error(client: KubeClient) -> None:
    wanted = settings()
    apply(client, wanted)
    for _ in range(2):
        client.delete(Reference.to(wanted))
    assert client.get(Reference.to(wanted)) is None


def test_a_set_is_found_by_its_label(client: KubeClient) -> None:
    member, other = settings(), settings()
    member["metadata"]["labels"] = SET
    apply(client, member)
    apply(client, other)
    found = client.list("v1", "ConfigMap", "default", labels=SET)
    assert [item["metadata"]["name"] for item in found] == [member["metadata"]["name"]]
    assert {item["kind"] for item in found} == {"ConfigMap"}


def test_a_watch_tells_each_change_in_its_order(client: KubeClient) -> None:
    wanted = settings(round="1")
    first = apply(client, wanted)
    wanted["data"]["round"] = "2"
    apply(client, wanted)
    client.delete(Reference.to(wanted))
    events = client.watch(Selection.of(Reference.to(wanted)), version(first), 5, 10.0, Line())
    seen = [next(events) for _ in range(2)]
    assert [event.type for event in seen] == ["MODIFIED", "DELETED"]
    assert seen[0].object["data"] == {"round": "2"}


def test_a_watch_ends_when_its_time_is_over(client: KubeClient) -> None:
    wanted = settings()
    first = apply(client, wanted)
    events = client.watch(Selection.of(Reference.to(wanted)), version(first), 1, 10.0, Line())
    assert [event for event in events if event.type != "BOOKMARK"] == []
