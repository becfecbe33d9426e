"""The real gcloud, and the judge of what is printed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.gke_requests.agreement import Agreement
from tests.gke_requests.gcloud_recorder import Gcloud, gcloud_program, recorded_gcloud


@pytest.fixture(scope="session")
def gcloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gcloud | None]:
    """Open the real gcloud; None where this machine has none: then the recordings stand in."""
    if gcloud_program() is None:
        yield None
        return
    with recorded_gcloud(tmp_path_factory.mktemp("gcloud")) as opened:
        yield opened


@pytest.fixture
def agreement(gcloud: Gcloud | None, record_property: Callable[[str, object], None]) -> Agreement:
    """Give the judge."""
    return Agreement(gcloud, record_property)
