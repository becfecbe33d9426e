"""Lost connections, killed processes and Ctrl-C: the transfer goes on, or is taken up where it was."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook.engine.errors import ConflictError, InterruptedRunError, PassingError
from runbook.engine.outcome import Status
from tests.acceptance.conftest import Operator, new_operator
from tests.over_ssh.conftest import over_ssh
from tests.over_ssh.far_side import FarSide
from tests.over_ssh.sshd import Sshd
from tests.rehearsal.stand_in import eventually
from tests.steps_gke.workplace import Workplace

SHARD = "model-00000-of-00000.safetensors"
MADE = (
    "checkpoint.repository=rehearsal/made-1x64MiB",
    "checkpoint.revision=main",
    "transfer.files_at_once=1",
)
MIB = 1 << 20
HALT = [
    {"kind": "truncate", "api": "cdn", "bytes": 24 * MIB},
    {"kind": "stall", "api": "cdn", "seconds": 8, "after": 1},
]
"""After 24 MiB of the shard nothing more comes for some seconds."""


@pytest.fixture
def halting(work: Workplace, sshd: Sshd, far: FarSide) -> Workplace:
    """Give a workplace whose transfer halts in the middle of a file for some seconds."""
    bucket = f"bucket.name={work.variables.bucket.name}"
    over_ssh(work, *sshd.settings(far.folder), *MADE, bucket)
    for fault in HALT:
        work.cloud.control("POST", "faults", fault)
    return work


def in_the_middle(far: FarSide, act: object) -> threading.Thread:
    """Do something when the shard is on its way, beside the run."""

    def wait_and_act() -> None:
        far.wait_for(SHARD, 20 * MIB)
        act()  # type: ignore[operator]

    thread = threading.Thread(target=wait_and_act)
    thread.start()
    return thread


@pytest.mark.slow
def test_a_lost_connection_is_made_anew_and_nothing_is_moved_twice(
    halting: Workplace, sshd: Sshd, far: FarSide
) -> None:
    beside = in_the_middle(far, sshd.drop_sessions)
    assert halting.apply("model.upload").status is Status.CHANGED
    beside.join()
    assert sshd.logins == 2
    (warning,) = [text for text in halting.voice.warnings if "connecting again" in text]
    assert "the transfer goes on there" in warning
    assert halting.check("model.upload").status is Status.OK


@pytest.mark.slow
def test_a_transfer_that_was_killed_goes_on_in_the_middle_of_the_file(
    halting: Workplace, far: FarSide
) -> None:
    beside = in_the_middle(far, far.kill)
    error = halting.apply("model.upload").error
    beside.join()
    assert isinstance(error, PassingError)
    assert "ended without a word" in error.message
    halting.cloud.control("DELETE", "faults")
    assert halting.apply("model.upload").status is Status.CHANGED
    first = next(event["done"] for event in far.log() if event.get("name") == SHARD)
    assert first > 16 * MIB


@pytest.mark.slow
def test_an_interruption_ends_the_transfer_there_too(halting: Workplace, far: FarSide) -> None:
    def pause(seconds: float) -> None:
        time.sleep(seconds)
        if far.done(SHARD) > 20 * MIB:
            raise InterruptedRunError("interrupted")

    halting.pause = pause
    assert isinstance(halting.apply("model.upload").error, InterruptedRunError)
    eventually(lambda: not far.runs)
    assert far.files("journal.jsonl")
    halting.cloud.control("DELETE", "faults")
    halting.pause = time.sleep
    assert halting.apply("model.upload").status is Status.CHANGED
    first = next(event["done"] for event in far.log() if event.get("name") == SHARD)
    assert first > 16 * MIB


@pytest.mark.slow
def test_another_model_does_not_join(halting: Workplace, sshd: Sshd, far: FarSide) -> None:
    mine = Workplace(halting.cloud, halting.variables)
    thread = threading.Thread(target=lambda: mine.apply("model.upload"))
    thread.start()
    far.wait_for(SHARD)
    over_ssh(
        halting,
        *sshd.settings(far.folder),
        *MADE,
        "checkpoint.revision=v2",
        f"bucket.name={mine.variables.bucket.name}",
    )
    error = halting.apply("model.upload").error
    assert isinstance(error, ConflictError)
    assert f"kill {far.pid}" in str(error.remedy)
    thread.join()


@pytest.fixture
def operator(tmp_path: Path, sshd: Sshd) -> Iterator[Operator]:
    """Give an operator with a cloud of their own."""
    yield from new_operator(tmp_path / "home", {"HOME": str(sshd.folder)})


def halted(operator: Operator) -> None:
    """Make the bucket, and have the next transfer halt in the middle of a file."""
    assert operator.inv("step", "3.1").code == 0
    for fault in HALT:
        words = [f"--{name}={value}" for name, value in (fault | {"seconds": 12}).items()]
        assert operator.inv("rehearsal.fault", *words).code == 0


def line(sshd: Sshd, far: FarSide) -> list[str]:
    return ["step", "3.2.3", *(f"--set={setting}" for setting in (*sshd.settings(far.folder), *MADE))]


@pytest.mark.slow
def test_a_run_after_a_killed_one_joins_what_it_left_running(
    operator: Operator, sshd: Sshd, far: FarSide
) -> None:
    halted(operator)
    with operator.start(*line(sshd, far)) as process:
        far.wait_for(SHARD, 20 * MIB)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    pid = far.pid
    assert far.runs
    ended = operator.inv(*line(sshd, far))
    assert ended.code == 0, ended.out + ended.error
    assert "it is joined" in ended.out + ended.error
    assert far.pid == pid


@pytest.mark.slow
def test_ctrl_c_ends_both_sides(operator: Operator, sshd: Sshd, far: FarSide) -> None:
    halted(operator)
    with operator.start(*line(sshd, far)) as process:
        far.wait_for(SHARD, 20 * MIB)
        os.kill(process.pid, signal.SIGINT)
        out, error = process.communicate(timeout=60)
    assert process.returncode == 1, out + error
    eventually(lambda: not far.runs)
    assert far.files("journal.jsonl")
