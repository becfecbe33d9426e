"""The transfer through another host: this machine's own, by a real sshd."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook.config.load import load
from tests.conftest import WITHOUT_SSHD
from tests.over_ssh.far_side import FarSide
from tests.over_ssh.sshd import SSHD, Sshd
from tests.steps_gke.workplace import ROOT, Workplace, workplace_in

TOKEN = "hf_this_is_told_to_nobody"


@pytest.fixture(scope="session", autouse=True)
def _needs_sshd() -> None:
    if SSHD is None:
        pytest.skip(WITHOUT_SSHD)


@pytest.fixture(scope="module")
def shared_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """Give the tests of one file one stand-in."""
    with workplace_in(tmp_path_factory.mktemp("cloud")) as opened:
        yield opened


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    """Give a test a server of its own."""
    server = Sshd(tmp_path / "sshd")
    server.up()
    yield server
    server.down()


@pytest.fixture
def far(tmp_path: Path) -> Iterator[FarSide]:
    """Give a test a folder of its own on the far host; what still runs there is killed at the end."""
    side = FarSide(tmp_path / "far")
    yield side
    side.kill()


@pytest.fixture
def work(
    shared_cloud: Workplace, sshd: Sshd, far: FarSide, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Workplace]:
    """Give a test a bucket of its own, and the transfer over its server."""
    monkeypatch.setenv("HOME", str(sshd.folder))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    work = Workplace(shared_cloud.cloud, shared_cloud.variables)
    over_ssh(work, *sshd.settings(far.folder), f"bucket.name=models-{secrets.token_hex(4)}")
    work.apply("storage.bucket")
    yield work
    shared_cloud.cloud.control("DELETE", "faults")


def over_ssh(work: Workplace, *settings: str) -> None:
    """Give a workplace the rehearsal's variables with settings, and a token of the hub."""
    work.variables = load(ROOT, "rehearsal", settings, {"HF_TOKEN": TOKEN}).variables
