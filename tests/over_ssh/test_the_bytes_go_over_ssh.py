"""The model arrives through another host as it would through this one."""

from __future__ import annotations

import secrets
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from runbook.engine.outcome import Status
from tests.over_ssh.conftest import TOKEN, over_ssh
from tests.over_ssh.far_side import FarSide
from tests.over_ssh.sshd import Sshd
from tests.steps_gke.workplace import Workplace

MANIFEST = ".runbook-manifest.json"


def objects_of(work: Workplace) -> dict[str, dict[str, Any]]:
    """What an object is, by name; when and by which request it was made is left out."""
    listing = work.cloud.get(f"/storage/v1/b/{work.variables.bucket.name}/o")
    kept = ("size", "crc32c", "metadata", "contentType")
    return {item["name"]: {key: item.get(key) for key in kept} for item in listing.get("items", [])}


def content_of(work: Workplace, name: str) -> bytes:
    bucket, folder = work.variables.bucket.name, work.variables.checkpoint.folder
    return work.cloud.ask("GET", f"/storage/v1/b/{bucket}/o/{folder}%2F{name}?alt=media").content


@pytest.mark.slow
def test_the_bucket_is_the_same_as_without_it(work: Workplace) -> None:
    work.converges("model.upload")
    over = objects_of(work), content_of(work, MANIFEST), content_of(work, "config.json")
    here = Workplace(work.cloud, work.variables)
    over_ssh(here, f"bucket.name=models-{secrets.token_hex(4)}")
    here.apply("storage.bucket", "model.upload")
    assert over == (objects_of(here), content_of(here, MANIFEST), content_of(here, "config.json"))
    assert len(over[0]) > 10


def test_a_check_asks_no_host_and_prints_the_guide_s_command(work: Workplace, sshd: Sshd) -> None:
    sshd.down()
    outcome = work.checked_without_a_write("model.upload")
    assert outcome.status is Status.WOULD_CHANGE
    assert "hf download" in outcome.changes[0].command[2]


def test_progress_is_told_here_and_a_model_that_is_there_asks_no_host(work: Workplace, sshd: Sshd) -> None:
    work.apply("model.upload")
    ends = {name for name, done, total, _ in work.voice.transfers if done == total}
    assert {"config.json", "tokenizer.json"} <= ends
    assert work.voice.warnings == []
    sshd.down()
    assert work.apply("model.upload").status is Status.OK


def test_what_the_host_needs_is_put_there_once_and_is_the_login_s_own(work: Workplace, far: FarSide) -> None:
    work.apply("model.upload")
    (program,) = far.files("*.pyz")
    put_at = program.stat().st_mtime_ns
    for path in [far.folder, *far.files("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert work.cloud.ask("DELETE", _object(work, "config.json")).ok
    assert work.apply("model.upload").status is Status.CHANGED
    assert [path.stat().st_mtime_ns for path in far.files("*.pyz")] == [put_at]
    assert far.files("python-*") == []  # the Python there has the package already


def test_secrets_are_in_no_command_line_and_no_file_that_stays(work: Workplace, far: FarSide) -> None:
    work.cloud.control("POST", "faults", {"kind": "stall", "api": "cdn", "seconds": 1})
    seen: list[bytes] = []

    def pause(seconds: float) -> None:
        seen.extend(command_lines())
        time.sleep(seconds)

    work.pause = pause
    assert work.apply("model.upload").status is Status.CHANGED
    assert any(b"runbook.transfer" in line for line in seen)
    kept = [path.read_bytes() for path in far.files("*") if path.is_file()]
    for text in [*seen, *kept]:
        assert TOKEN.encode() not in text
        assert b"upload_id=" not in text
    assert far.files("orders-*") == []


def test_a_failure_there_is_told_with_its_cause_place_and_remedy(work: Workplace) -> None:
    fault = {"api": "hub", "path": "/resolve/.*/tokenizer.json", "status": 404, "times": 100}
    work.cloud.control("POST", "faults", fault)
    error = work.apply("model.upload").error
    assert error is not None
    assert "tokenizer.json" in str(error.place)
    assert error.remedy == "look at checkpoint.repository and checkpoint.revision"


def command_lines() -> list[bytes]:
    """Every process's command line, as `ps` shows it."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                found.append((process / "cmdline").read_bytes())
            except OSError:
                continue
    return found


def _object(work: Workplace, name: str) -> str:
    return f"/storage/v1/b/{work.variables.bucket.name}/o/{work.variables.checkpoint.folder}%2F{name}"
