"""A cluster that is reached through a real sshd and in no other way."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.any_cluster.by_hand import Handwritten
from tests.bastion.private import PrivateApi
from tests.conftest import WITHOUT_SSHD
from tests.over_ssh.sshd import SSHD, Sshd
from tests.steps_kube.deployment_place import Place, prepared_in


@pytest.fixture(scope="session", autouse=True)
def _needs_sshd() -> None:
    if SSHD is None:
        pytest.skip(WITHOUT_SSHD)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Give the tests of one file one cloud whose cluster has a kubeconfig of its own."""
    with prepared_in(tmp_path_factory.mktemp("cloud")) as place:
        assert place.apply("kube.credentials").error is None
        yield place


@pytest.fixture
def sshd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sshd]:
    """Give a test a bastion of its own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    server = Sshd(tmp_path / "sshd")
    server.up()
    yield server
    server.down()


@pytest.fixture
def written(prepared: Place, tmp_path: Path) -> Handwritten:
    """Give a test what stands in the cluster's own kubeconfig."""
    return Handwritten.for_cluster_of(prepared, tmp_path)


@pytest.fixture
def api(written: Handwritten) -> Iterator[PrivateApi]:
    """Give a test the cluster's API behind a firewall."""
    with PrivateApi(written.cluster["server"]) as opened:
        yield opened


@pytest.fixture
def behind(prepared: Place, written: Handwritten, sshd: Sshd, api: PrivateApi) -> Place:
    """Give a test the cluster by a kubeconfig with its private address, and the bastion before it."""
    path = written.file({"token": written.token}, server=f"https://localhost:{api.port}")
    return prepared.with_settings(*lab(prepared, path), *through(sshd))


@pytest.fixture(autouse=True)
def _stand_ins_storage(prepared: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lead the clients of Cloud Storage to the stand-in: the cluster is the lab's, the bucket is not."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", prepared.cloud.endpoints["google"])


def lab(place: Place, file: object) -> list[str]:
    """Give the variables of a cluster by its kubeconfig file.

    Args:
        place: whose login of Google Cloud is used.
        file: the kubeconfig file.
    """
    return [
        "provider=kubeconfig",
        f"kube.kubeconfig={file}",
        "credentials.source=token-file",
        f"credentials.token_file={place.cloud.endpoints['token_file']}",
    ]


def through(sshd: Sshd) -> list[str]:
    """Give the variables of a bastion."""
    return [
        "bastion.host=127.0.0.1",
        f"bastion.port={sshd.port}",
        f"bastion.user={getpass.getuser()}",
        f"bastion.key_file={sshd.folder}/login_key",
        f"bastion.known_hosts={sshd.known_hosts}",
    ]
