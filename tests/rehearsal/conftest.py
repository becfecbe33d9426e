"""Stand-ins for tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rehearsal.stand_in import StandIn


def _running(home: Path) -> Iterator[StandIn]:
    cloud = StandIn(home)
    cloud.up()
    yield cloud
    cloud.session.close()
    cloud.down()


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[StandIn]:
    """Give a test an empty stand-in of its own."""
    yield from _running(tmp_path / ".rehearsal")


@pytest.fixture(scope="module")
def shared_stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """Give the tests of one file one stand-in; each uses names of its own there."""
    yield from _running(tmp_path_factory.mktemp("stand-in") / ".rehearsal")
