"""API servers that the same tests run against: the stand-in's, and the real one where this machine has it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook.clients.kube.client import KubeClient
from runbook.clients.kube.connection import by_kubeconfig
from tests.api_servers.control_plane import ControlPlane, program
from tests.conftest import WITHOUT_APISERVER
from tests.kube_api.conftest import Cluster


@pytest.fixture(scope="module", params=["stand-in", "real"])
def kubeconfig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Start an API server for the tests of one file; give the kubeconfig that leads to it."""
    folder = tmp_path_factory.mktemp(request.param)
    served: Cluster | ControlPlane
    if request.param == "stand-in":
        served = Cluster(folder)
    else:
        etcd, apiserver = program("etcd"), program("kube-apiserver")
        if etcd is None or apiserver is None:
            pytest.skip(WITHOUT_APISERVER)
        served = ControlPlane(folder, etcd, apiserver)
    yield served.kubeconfig
    served.stop()


@pytest.fixture
def client(kubeconfig: Path, tmp_path: Path) -> KubeClient:
    """Reach it as the project does."""
    return KubeClient(by_kubeconfig([kubeconfig], None), tmp_path)
