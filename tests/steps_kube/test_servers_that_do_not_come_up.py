"""4.3 ends early, with the evidence, where waiting would not help."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runbook.engine.errors import FailedError, ManifestError, MissingError
from runbook.engine.outcome import Outcome
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


def test_a_bucket_that_may_not_be_read_though_the_driver_did_not_ask(without_grant: Place) -> None:
    message = failed(without_grant.apply("kube.apply", **SERVER))
    assert "ended with code" in message
    assert "storage.objects.list" in message


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
