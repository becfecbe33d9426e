"""4.3 ends early, with the evidence, where waiting would not help."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from runbook.clients.kube.objects import Object, Reference
from runbook.engine.errors import FailedError, ManifestError, MissingError
from runbook.engine.outcome import Outcome
from runbook.steps.kube.diagnosis import diagnose_pods
from runbook.steps.kube.scheduling import unscheduled
from runbook.steps.kube.supply import Growth, Supply
from tests.steps_kube.deployment_place import SERVER, Place


def failed(outcome: Outcome) -> str:
    assert isinstance(outcome.error, FailedError), outcome
    return outcome.error.message


def test_a_server_that_crashes_shows_its_last_lines(place: Place) -> None:
    outcome = place.with_settings("server.flags.no-such-flag=nonsense").apply("kube.apply", **SERVER)
    message = failed(outcome)
    assert "ended with code" in message
    assert "unrecognized arguments: --no-such-flag=nonsense" in message


def test_an_image_that_cannot_be_pulled(place: Place) -> None:
    outcome = place.with_settings("server.image=vllm/vllm-tpu:missing").apply("kube.apply", **SERVER)
    assert "ImagePull" in failed(outcome)
    assert "vllm/vllm-tpu:missing" in failed(outcome)


def test_a_pod_that_fits_no_node(place: Place) -> None:
    outcome = place.with_settings("tpu.accelerator=tpu9").apply("kube.apply", **SERVER)
    assert "Unschedulable" in failed(outcome)
    assert "didn't match Pod's node affinity/selector" in failed(outcome)


def test_a_pod_that_fits_no_node_yet_is_waited_for_where_nodes_are_made(place: Place) -> None:
    patient = place.with_settings(
        "tpu.accelerator=tpu9", "node_pool.capacity=spot", "server.ready_timeout_s=5"
    )
    message = failed(patient.apply("kube.apply", **SERVER))
    assert "is not ready after 5 s" in message
    assert "(waiting for a node)" in message


@pytest.fixture
def tainted(place: Place) -> Iterator[Place]:
    """The TPU node has a taint that nothing tolerates."""
    with place.cluster() as cluster:
        (node,) = cluster.list(
            "v1",
            "Node",
            "",
            labels={"cloud.google.com/gke-tpu-topology": place.loaded.variables.tpu.topology},
        )
    taint = {"key": "team", "value": "ours", "effect": "NoSchedule"}
    place.patch(Reference.to(node), {"spec": {"taints": [*node["spec"]["taints"], taint]}})
    yield place
    place.patch(Reference.to(node), {"spec": {"taints": node["spec"]["taints"]}})


def test_an_idle_node_that_does_not_take_the_pod_ends_the_wait(tainted: Place) -> None:
    message = failed(tainted.with_settings("node_pool.capacity=spot").apply("kube.apply", **SERVER))
    assert "Unschedulable" in message
    assert "untolerated taint" in message


UNFIT: Object = {
    "metadata": {"name": "vllm-tpu-1", "namespace": "default", "creationTimestamp": "2026-11-23T15:42:00Z"},
    "spec": {"containers": [], "nodeSelector": {"nowhere": "true"}},
    "status": {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]},
}


@pytest.mark.parametrize(
    ("reasons", "waited_for"),
    [
        ([], True),
        ([("NotTriggerScaleUp", "pod didn't trigger scale-up: 1 max node group size reached")], False),
        ([("NotTriggerScaleUp", "pod didn't trigger scale-up: 1 in backoff after failed scale-up")], True),
        ([("NotTriggerScaleUp", "no"), ("TriggeredScaleUp", "pod triggered scale-up: 0->1")], True),
    ],
)
def test_what_the_autoscaler_says(place: Place, reasons: list[tuple[str, str]], *, waited_for: bool) -> None:
    events: list[Object] = [
        {"reason": reason, "message": message, "lastTimestamp": f"2026-11-23T15:4{minute}:00Z"}
        for minute, (reason, message) in enumerate(reasons)
    ]
    with place.cluster() as cluster:
        found = unscheduled(cluster, UNFIT, events, supply=Supply(Growth.EXPECTED))
    assert found is not None
    assert (found.patience_seconds is None) == waited_for


@pytest.fixture
def without_grant(place: Place) -> Iterator[Place]:
    """The bucket may not be read."""
    place.apply("storage.iam_member", state="absent")
    yield place
    assert place.apply("storage.iam_member").error is None


def test_a_bucket_that_may_not_be_read(without_grant: Place) -> None:
    asking = without_grant.with_settings("volume.attributes.skipCSIBucketAccessCheck=false")
    outcome = asking.apply("kube.apply", **SERVER)
    message = failed(outcome)
    assert "FailedMount" in message
    assert "storage.objects.list" in message


@pytest.mark.slow
def test_a_bucket_that_may_not_be_read_though_the_driver_did_not_ask(without_grant: Place) -> None:
    message = failed(without_grant.apply("kube.apply", **SERVER))
    assert "ended with code" in message
    assert "storage.objects.list" in message


@pytest.mark.slow
def test_a_crash_for_want_of_a_grant_is_given_the_minutes_that_grants_take(without_grant: Place) -> None:
    failed(without_grant.apply("kube.apply", **SERVER))
    with without_grant.cluster() as cluster:
        while True:
            found = diagnose_pods(cluster, cluster.list("v1", "Pod", "default"), supply=Supply())
            assert found is not None
            if found.cause == "CrashLoopBackOff":
                break
            time.sleep(0.1)
    assert found.patience_seconds == 300


@pytest.mark.slow
def test_an_api_server_that_is_away_for_a_while_does_not_end_the_wait(place: Place) -> None:
    fault = {"api": "kubernetes", "path": "watch=true", "kind": "status", "status": 503, "times": 60}
    place.cloud.control("POST", "faults", fault)
    waiting = Place(place.cloud, place.loaded)
    outcome = waiting.apply("kube.apply", **SERVER)
    place.cloud.control("DELETE", "faults")
    assert outcome.error is None, outcome.error
    assert [told for told in waiting.voice.conditions if told.startswith("asking again: ")]


def test_without_a_cluster_the_step_that_makes_it_is_named(empty: Place) -> None:
    error = empty.apply("kube.apply", **SERVER).error
    assert isinstance(error, MissingError)
    assert error.supplied_by == "gke.cluster"


def test_without_a_node_pool_the_step_that_makes_it_is_named(place: Place) -> None:
    error = place.with_settings("node_pool.name=other-pool").apply("kube.apply", **SERVER).error
    assert isinstance(error, MissingError)
    assert error.supplied_by == "gke.node_pool"


def test_without_the_model_the_step_that_moves_it_is_named(place: Place) -> None:
    error = place.with_settings("checkpoint.folder=elsewhere").apply("kube.apply", **SERVER).error
    assert isinstance(error, MissingError)
    assert error.supplied_by == "model.upload"


def test_a_template_that_is_not_there(place: Place) -> None:
    assert isinstance(place.apply("kube.apply", template="none.yaml.j2").error, ManifestError)
