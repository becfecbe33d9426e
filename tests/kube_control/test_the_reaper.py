"""The shell that outlives the stand-in for as long as it takes to kill what the stand-in started."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator

import pytest

from rehearsal.kube.node.reaper import Reaper

SIGKILLED = -9


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as process:
        yield process
        process.kill()


def test_what_is_watched_is_killed_at_the_end(sleeper: subprocess.Popen[bytes]) -> None:
    reaper = Reaper()
    reaper.watch(sleeper.pid)
    reaper.close()
    assert sleeper.wait(10) == SIGKILLED


def test_what_was_forgotten_is_left_alone(sleeper: subprocess.Popen[bytes]) -> None:
    reaper = Reaper()
    reaper.watch(sleeper.pid)
    reaper.forget(sleeper.pid)
    reaper.close()
    assert sleeper.poll() is None


def test_a_group_that_two_forget_costs_nothing_at_the_end(sleeper: subprocess.Popen[bytes]) -> None:
    reaper = Reaper()
    reaper.watch(sleeper.pid)
    for group in range(1_000_000, 1_000_030):
        reaper.watch(group)
        reaper.forget(group)
        reaper.forget(group)
    closing = threading.Thread(target=reaper.close, daemon=True)
    closing.start()
    closing.join(10)
    assert not closing.is_alive()
    assert sleeper.wait(10) == SIGKILLED
