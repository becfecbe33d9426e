"""A cloud for the tests of one file, and a workplace with names of its own for each test."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator

import pytest

from tests.steps_gke.workplace import Workplace, variables_with, workplace_in

Shaped = Callable[..., Workplace]


@pytest.fixture(scope="module")
def shared_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """Give the tests of one file one stand-in."""
    with workplace_in(tmp_path_factory.mktemp("cloud")) as opened:
        yield opened


@pytest.fixture
def shaped(shared_cloud: Workplace) -> Shaped:
    """Give a test workplaces with settings such as `cluster.mode=autopilot`, all of one cluster's name."""
    number = secrets.token_hex(4)

    def make(*settings: str) -> Workplace:
        own = ("project=demo-project", f"cluster.name=demo-{number}", f"bucket.name=models-{number}")
        return Workplace(shared_cloud.cloud, variables_with(*own, *settings))

    return make
