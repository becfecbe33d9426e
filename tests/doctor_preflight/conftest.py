"""Patients: an empty cloud, and one with everything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.doctor_preflight.patient import Patient
from tests.rehearsal.stand_in import StandIn
from tests.steps_kube.deployment_place import Place, prepared_in


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """Give the tests of one file one stand-in."""
    opened = StandIn(tmp_path_factory.mktemp("cloud") / ".rehearsal")
    opened.up()
    yield opened
    opened.session.close()
    opened.down()


@pytest.fixture
def patient(cloud: StandIn) -> Patient:
    """Give a test an empty cloud."""
    cloud.control("POST", "reset")
    return Patient(cloud)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Give the tests of one file one cloud with everything that setup makes."""
    with prepared_in(tmp_path_factory.mktemp("prepared")) as place:
        yield place


@pytest.fixture
def equipped(prepared: Place) -> Iterator[Patient]:
    """Give a test the cloud with everything that setup makes; what it tells is forgotten afterwards."""
    yield Patient(prepared.cloud)
    prepared.cloud.control(
        "PUT",
        "project",
        {
            "disabled_services": [],
            "denied_permissions": [],
            "reservations": {},
            "quotas": {},
            "regions_without_nat": [],
        },
    )
