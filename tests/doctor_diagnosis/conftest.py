"""Clouds for the diagnosis."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.doctor_diagnosis.patient import Patient, opened_in


@pytest.fixture(scope="module")
def cloud_of_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Patient]:
    """Keep one stand-in for all tests of a file."""
    with opened_in(tmp_path_factory.mktemp("patient")) as patient:
        yield patient


@pytest.fixture
def patient(cloud_of_file: Patient) -> Patient:
    """Give a test an empty cloud, without kubeconfig and history."""
    return cloud_of_file.emptied()
