"""bucket.posix_mount: gcsfuse where it is installed. No registry has it, so what it does is not seen here."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.engine.errors import RefusedError
from runbook.engine.outcome import Status
from tests.steps_gke.workplace import Workplace, variables_with


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "models"
    made.mkdir()
    return made


@pytest.fixture
def work(work: Workplace, folder: Path) -> Workplace:
    name = work.variables.bucket.name
    work.variables = variables_with(f"bucket.name={name}", f"bucket.posix_mount={folder}")
    work.apply("storage.bucket")
    return work


def install(monkeypatch: pytest.MonkeyPatch, folder: Path, version: str) -> None:
    """Put a gcsfuse on the PATH that tells its version and can do nothing else."""
    program = folder / "gcsfuse"
    program.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && echo "gcsfuse version {version}" && exit\nexit 1\n'
    )
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def test_without_gcsfuse_the_error_says_what_gcsfs_offers(
    work: Workplace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    outcome = work.checked_without_a_write("storage.mount")
    assert isinstance(outcome.error, RefusedError)
    assert "gcsfuse is not on this machine's PATH" in outcome.error.message
    assert "fsspec.open" in str(outcome.error.remedy)


def test_an_old_gcsfuse_is_refused(work: Workplace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch, tmp_path, "2.5.1 (Go version go1.23.0)")
    outcome = work.checked_without_a_write("storage.mount")
    assert isinstance(outcome.error, RefusedError)
    assert "too old: gcsfuse version 2.5.1" in outcome.error.message


def test_the_mount_is_planned_with_its_command(
    work: Workplace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: Path
) -> None:
    install(monkeypatch, tmp_path, "3.4.0 (Go version go1.24.5)")
    (change,) = work.checked_without_a_write("storage.mount").changes
    assert change.command == ["gcsfuse", "--implicit-dirs", work.variables.bucket.name, str(folder)]
    assert change.differences[0].after == f"gs://{work.variables.bucket.name}"


def test_a_folder_with_something_in_it_is_not_mounted_over(
    work: Workplace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: Path
) -> None:
    install(monkeypatch, tmp_path, "3.4.0")
    (folder / "mine").touch()
    outcome = work.checked_without_a_write("storage.mount")
    assert isinstance(outcome.error, RefusedError)
    assert "is no empty folder" in outcome.error.message


def test_what_is_not_mounted_is_not_unmounted(work: Workplace) -> None:
    outcome = work.apply("storage.mount", state="absent")
    assert (outcome.status, outcome.reason) == (Status.OK, "nothing is mounted")


def test_nobody_who_does_not_ask_for_it_needs_gcsfuse(
    work: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    work.variables = variables_with(f"bucket.name={work.variables.bucket.name}")
    monkeypatch.setenv("PATH", "")
    assert work.check("storage.mount").status is Status.OK
