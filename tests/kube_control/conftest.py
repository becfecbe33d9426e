"""A cluster of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kube_control.kube_stand_in import Kube, StandIn, facts


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[StandIn]:
    """Give a stand-in without a cluster."""
    made = StandIn(tmp_path / "home")
    yield made
    made.stop()


@pytest.fixture
def kube(stand_in: StandIn) -> Kube:
    """Give a cluster with a plain node and a TPU node."""
    return stand_in.create(facts())
