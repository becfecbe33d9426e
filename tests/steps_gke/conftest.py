"""Workplaces for the steps of section 2."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from tests.steps_gke.workplace import Workplace, variables_with, workplace_in


@pytest.fixture(scope="module")
def shared_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """Give the tests of one file one stand-in."""
    with workplace_in(tmp_path_factory.mktemp("cloud")) as opened:
        yield opened


@pytest.fixture
def work(shared_cloud: Workplace) -> Workplace:
    """Give a test names of its own in the file's stand-in, so that its cloud is empty."""
    number = secrets.token_hex(4)
    settings = ("project=demo-project", f"cluster.name=demo-{number}", f"bucket.name=models-{number}")
    return Workplace(shared_cloud.cloud, variables_with(*settings))
