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


@pytest.fixture(scope="session")
def stand_in_of_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """Keep one process for all tests that want an empty stand-in."""
    yield from _running(tmp_path_factory.mktemp("stand-in") / ".rehearsal")


@pytest.fixture
def stand_in(stand_in_of_session: StandIn) -> StandIn:
    """Give a test an empty stand-in, which it may stop, kill and start."""
    stand_in_of_session.up()
    stand_in_of_session.control("POST", "reset")
    stand_in_of_session.control(
        "PUT", "settings", {"time_scale": 0, "latency_ms": 0, "hub_url_lifetime_s": 3600}
    )
    return stand_in_of_session


@pytest.fixture(scope="module")
def shared_stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """Give the tests of one file one stand-in, whose state they share."""
    yield from _running(tmp_path_factory.mktemp("shared-stand-in") / ".rehearsal")
