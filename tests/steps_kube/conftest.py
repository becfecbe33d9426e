"""Clouds for the steps of deploy, smoke and bench."""

from __future__ import annotations

from collections.abc import Iterator

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
