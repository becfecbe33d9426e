"""Clouds for the steps of deploy, smoke and bench."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator

import pytest

from tests.rehearsal.stand_in import StandIn
from tests.steps_kube.deployment_place import TEMPLATES, Place, prepared_in, variables_with


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Give the tests of one file one cloud with cluster, node pool and model."""
    with prepared_in(tmp_path_factory.mktemp("cloud")) as place:
        yield place


@pytest.fixture
def place(prepared: Place) -> Iterator[Place]:
    """Give a test the file's cloud with nothing deployed."""
    fresh = prepared.with_settings()
    yield fresh
    outcome = fresh.apply("kube.absent", **TEMPLATES)
    assert outcome.error is None, outcome.error


@pytest.fixture
def deployed(place: Place) -> Place:
    """Give a test the file's cloud with the server deployed."""
    place.deploy()
    return place


@pytest.fixture
def run(serving: Place) -> Iterator[Callable[..., Place]]:
    """Give a test of a file with a server that is `serving` a run of its own; delete its Jobs."""
    run_id = f"20261123-154200-{secrets.token_hex(2)}"
    yield lambda *settings: serving.with_settings(*settings, run_id=run_id)
    serving.delete(*serving.of_kind("batch/v1", "Job"))
    serving.cloud.control("DELETE", "faults")


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Give the tests of one file a cloud with nothing in it."""
    cloud = StandIn(tmp_path_factory.mktemp("empty") / ".rehearsal")
    cloud.up()
    try:
        yield Place(cloud, variables_with())
    finally:
        cloud.session.close()
        cloud.down()
