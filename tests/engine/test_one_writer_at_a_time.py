from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from runbook.engine.errors import ConflictError
from runbook.engine.lock import EnvironmentLock


def lock(path, told, wait_seconds=0.0):
    return EnvironmentLock(path, wait_seconds, told.append, time.sleep)


HOLDER = """
import sys, time
from pathlib import Path
from runbook.engine.lock import EnvironmentLock
with EnvironmentLock(Path(sys.argv[1]), 0, print, time.sleep):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "lock")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_second_writer_is_told_who_holds_the_lock(tmp_path, holder):
    with pytest.raises(ConflictError, match=f"pid {holder.pid}"), lock(tmp_path / "lock", []):
        pass


def test_a_writer_may_wait_for_the_first(tmp_path, holder):
    told = []
    with pytest.raises(ConflictError), lock(tmp_path / "lock", told, wait_seconds=0.5):
        pass
    assert told[0].startswith("waiting for the lock of")


def test_a_dead_owners_lock_is_taken_over_and_said_so(tmp_path, holder):
    holder.kill()
    holder.wait()
    told = []
    with lock(tmp_path / "lock", told):
        assert told[0].startswith("took over the lock of a run that is gone")


def test_a_lock_that_was_given_back_leaves_nothing(tmp_path):
    told = []
    for _ in range(2):
        with lock(tmp_path / "lock", told):
            assert f'"pid": {os.getpid()}' in (tmp_path / "lock").read_text()
    assert told == []
