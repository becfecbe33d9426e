"""A cluster that somebody else made, reached by kubeconfig files that a person writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook.engine.outcome import Outcome
from tests.any_cluster.by_hand import Handwritten
from tests.steps_kube.deployment_place import Place, prepared_in


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Give the tests of one file one cloud whose cluster has a kubeconfig of its own."""
    with prepared_in(tmp_path_factory.mktemp("cloud")) as place:
        assert place.apply("kube.credentials").error is None
        yield place


@pytest.fixture
def written(prepared: Place, tmp_path: Path) -> Handwritten:
    """Give a test an empty folder for kubeconfig files, and what stands in the cluster's own."""
    return Handwritten.for_cluster_of(prepared, tmp_path)


class Reader:
    """Reads the cluster by a kubeconfig file, as steps do.

    Args:
        place: the cloud.
    """

    def __init__(self, place: Place) -> None:
        self._place = place

    def logs_in(self, *settings: str) -> Outcome:
        """Run 4.1 by the file, then 5.3, which asks the cluster."""
        other = self._place.with_settings("provider=kubeconfig", *settings)
        self.voice = other.voice
        *_, first, asked = other.line(
            ("kube.credentials", {}), ("kube.absent", {"templates": ["vllm-tpu.yaml.j2"]}), check=True
        )
        return first if first.error else asked

    def by(self, path: Path) -> Outcome:
        """Read by one file."""
        return self.logs_in(f"kube.kubeconfig={path}")


@pytest.fixture
def reader(prepared: Place) -> Reader:
    """Give a test somebody who reads the cluster."""
    return Reader(prepared)
