"""Hosts that are not the one that is meant, let nobody in, or lack something: one clear error each."""

from __future__ import annotations

import zipfile
from pathlib import Path

import google_crc32c
import pytest

from runbook.engine.errors import CredentialsError, FailedError, PassingError, RefusedError, RunbookError
from runbook.engine.outcome import Status
from runbook.transfer.requirement import requirement
from tests.over_ssh.conftest import over_ssh
from tests.over_ssh.far_side import FarSide
from tests.over_ssh.sshd import Sshd, new_key
from tests.steps_gke.workplace import Workplace


def refusal(work: Workplace) -> RunbookError:
    error = work.apply("model.upload").error
    assert error is not None
    return error


def with_settings(work: Workplace, sshd: Sshd, far: FarSide, *settings: str) -> None:
    over_ssh(work, *sshd.settings(far.folder), f"bucket.name={work.variables.bucket.name}", *settings)


def program(folder: Path, text: str) -> Path:
    path = folder / "python-of-the-test"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_a_host_whose_key_is_unknown_is_refused_with_what_to_compare(work: Workplace, sshd: Sshd) -> None:
    sshd.known_hosts.write_text("")
    error = refusal(work)
    assert isinstance(error, RefusedError)
    assert "is not known: ssh-ed25519 SHA256:" in error.message
    assert str(error.place) == str(sshd.known_hosts)
    assert f"ssh-keyscan -p {sshd.port} 127.0.0.1" in str(error.remedy)
    assert sshd.known_hosts.read_text() == ""
    assert sshd.logins == 0


def test_a_host_whose_key_has_changed_is_refused(work: Workplace, sshd: Sshd) -> None:
    new_key(sshd.folder / "other_key")
    sshd.know_host("other_key")
    error = refusal(work)
    assert isinstance(error, RefusedError)
    assert "has changed" in error.message
    assert sshd.logins == 0


def test_a_host_on_the_way_is_checked_too(work: Workplace, sshd: Sshd, far: FarSide) -> None:
    (sshd.folder / ".ssh").mkdir()
    config = f"Host near\n  HostName 127.0.0.1\n  ProxyJump localhost:{sshd.port}\n"
    (sshd.folder / ".ssh" / "config").write_text(config)
    with_settings(work, sshd, far, "transfer.ssh.host=near")
    error = refusal(work)
    assert isinstance(error, RefusedError)
    assert f"[localhost]:{sshd.port} is not known" in error.message


def test_a_login_that_the_host_does_not_accept_is_told(work: Workplace, sshd: Sshd, far: FarSide) -> None:
    new_key(sshd.folder / "stranger")
    with_settings(work, sshd, far, f"transfer.ssh.key_file={sshd.folder}/stranger")
    error = refusal(work)
    assert isinstance(error, CredentialsError)
    assert "accepts none of the keys" in error.message
    assert "transfer.ssh.key_file" in str(error.remedy)


@pytest.mark.parametrize("key", ["null", "/nowhere/key"])
def test_a_login_without_a_key_is_told(work: Workplace, sshd: Sshd, far: FarSide, key: str) -> None:
    with_settings(work, sshd, far, f"transfer.ssh.key_file={key}")
    assert isinstance(refusal(work), CredentialsError)


def test_a_host_at_which_nothing_listens_is_told(work: Workplace, sshd: Sshd) -> None:
    sshd.down()
    error = refusal(work)
    assert isinstance(error, PassingError)
    assert "nothing listens there" in error.message
    assert "transfer.ssh.port" in str(error.remedy)


def test_a_host_that_has_no_name_is_told(work: Workplace, sshd: Sshd, far: FarSide) -> None:
    with_settings(work, sshd, far, "transfer.ssh.host=nobody.invalid")
    assert "the name is not known" in refusal(work).message


def test_a_host_without_python_is_told(work: Workplace, sshd: Sshd, far: FarSide) -> None:
    with_settings(work, sshd, far, "transfer.ssh.python=python9")
    error = refusal(work)
    assert isinstance(error, RefusedError)
    assert "there is no python9" in error.message
    assert "transfer.ssh.python" in str(error.remedy)


def test_a_python_that_is_too_old_is_told(work: Workplace, sshd: Sshd, far: FarSide, tmp_path: Path) -> None:
    with_settings(work, sshd, far, f"transfer.ssh.python={program(tmp_path, 'echo 3 9 2')}")
    assert "is Python 3.9.2, and 3.11 is needed" in refusal(work).message


def test_a_python_that_cannot_install_is_told(
    work: Workplace, sshd: Sshd, far: FarSide, tmp_path: Path
) -> None:
    text = "case $2 in import\\ sys*) echo 3 11 7;; *) echo no pip here >&2; exit 1;; esac"
    with_settings(work, sshd, far, f"transfer.ssh.python={program(tmp_path, text)}")
    error = refusal(work)
    assert isinstance(error, FailedError)
    assert error.message == f"{requirement()} cannot be installed there: no pip here"
    assert "python3-venv" in str(error.remedy)


def test_a_folder_that_cannot_be_written_is_told(work: Workplace, sshd: Sshd, far: FarSide) -> None:
    with_settings(work, sshd, far, "transfer.ssh.folder=/proc/runbook")
    error = refusal(work)
    assert isinstance(error, FailedError)
    assert error.message.startswith("/proc/runbook cannot be written there")


@pytest.mark.slow
def test_a_python_without_the_package_gets_it_in_an_environment_of_its_own_once(
    work: Workplace, sshd: Sshd, far: FarSide, tmp_path: Path
) -> None:
    wheels = _wheels(tmp_path / "wheels")
    sshd.down()
    sshd.environment = f"PIP_NO_INDEX=1 PIP_FIND_LINKS={wheels}"
    sshd.up()
    bare = program(tmp_path, 'exec "$BARE" -S "$@"')
    bare.write_text(bare.read_text().replace('"$BARE"', _base_python()))
    with_settings(work, sshd, far, f"transfer.ssh.python={bare}")
    assert work.apply("model.upload").status is Status.CHANGED
    (made,) = far.folder.glob("python-*")
    made_at = made.stat().st_mtime_ns
    folder, bucket = work.variables.checkpoint.folder, work.variables.bucket.name
    assert work.cloud.ask("DELETE", f"/storage/v1/b/{bucket}/o/{folder}%2Fconfig.json").ok
    assert work.apply("model.upload").status is Status.CHANGED
    assert [path.stat().st_mtime_ns for path in far.folder.glob("python-*")] == [made_at]


def _base_python() -> str:
    import sys

    return str(getattr(sys, "_base_executable"))  # noqa: B009 - unknown to typeshed


def _wheels(folder: Path) -> Path:
    """Pack the installed google-crc32c as a wheel, so that no index is asked."""
    folder.mkdir()
    name, _, version = requirement().partition("==")
    stem = f"{name.replace('-', '_')}-{version}"
    package = Path(google_crc32c.__file__).parent
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as wheel:
        for part in (package, package.with_name("google_crc32c.libs")):
            for path in part.glob("*.*"):
                wheel.write(path, path.relative_to(package.parent))
        wheel.writestr(
            f"{stem}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        tags = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        wheel.writestr(f"{stem}.dist-info/WHEEL", tags)
        wheel.writestr(f"{stem}.dist-info/RECORD", "")
    return folder
