"""One stand-in for the tests of one file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runbook.clients.connections import Connections
from tests.rehearsal.stand_in import StandIn
from tests.steps_gke.workplace import variables_with


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    opened = StandIn(tmp_path_factory.mktemp("cloud") / ".rehearsal")
    opened.up()
    yield opened
    opened.session.close()
    opened.down()


@pytest.fixture
def connections(cloud: StandIn) -> Iterator[Connections]:
    opened = Connections(variables_with(), cloud.home.parent)
    yield opened
    opened.close()
    cloud.control("DELETE", "faults")
