"""Workplaces for the steps of section 3."""

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
def work(shared_cloud: Workplace) -> Iterator[Workplace]:
    """Give a test a bucket name of its own in the file's stand-in, so that its cloud is empty."""
    bucket = f"models-{secrets.token_hex(4)}"
    yield Workplace(shared_cloud.cloud, variables_with(f"bucket.name={bucket}", f"teardown.bucket={bucket}"))
    shared_cloud.cloud.control("DELETE", "faults")
