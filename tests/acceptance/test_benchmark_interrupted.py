"""Ctrl-C while a benchmark is followed: a terminal is asked what becomes of the Job, which can be joined."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import sys
import time
from collections.abc import Iterator

import pytest

from runbook.clients.kube.client import KubeClient
from runbook.clients.kube.connection import by_kubeconfig
from runbook.clients.kube.objects import Object, Reference
from tests.acceptance.conftest import ROOT, Operator

SLOWLY = ("--set", "rehearsal.step_ms=60")
LINE = ("bench", "--workload", "chat", *SLOWLY)
AT_ONCE = ("--set", "rehearsal.step_ms=0")
SEEN = "% of the tokens"


@pytest.fixture
def serving(converged: Operator) -> Iterator[Operator]:
    """An operator whose server answers; the Jobs of the test are taken away."""
    yield converged
    cluster = reach(converged)
    for job in cluster.list("batch/v1", "Job", "default"):
        cluster.delete(Reference.to(job))


def reach(operator: Operator) -> KubeClient:
    path = operator.home / ".runs" / "rehearsal" / "kubeconfig"
    return KubeClient(by_kubeconfig([path], None), operator.home / ".runs")


def jobs(operator: Operator) -> list[Object]:
    return reach(operator).list("batch/v1", "Job", "default")


class Terminal:
    """A line typed at a terminal.

    Args:
        operator: who types it.
        words: of the line.
    """

    def __init__(self, operator: Operator, *words: str) -> None:
        self.shown = ""
        self._pid, self._screen = pty.fork()
        if not self._pid:
            os.chdir(ROOT)
            environ = operator.environment() | {"COLUMNS": "200", "TERM": "xterm"}
            os.execve(sys.executable, [sys.executable, "-m", "invoke", *words], environ)

    def until(self, text: str, seconds: float = 60) -> None:
        """Read until the screen has shown a text."""
        deadline = time.monotonic() + seconds
        while text not in self.shown:
            assert time.monotonic() < deadline, self.shown
            assert self._read(), self.shown

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._screen, text.encode())

    def end(self) -> int:
        """Read to the end; give the exit code."""
        while self._read():
            pass
        os.close(self._screen)
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])

    def _read(self) -> bool:
        if not select.select([self._screen], [], [], 60)[0]:
            return False
        try:
            piece = os.read(self._screen, 65536)
        except OSError:  # how Linux tells that the other side has ended
            return False
        self.shown += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", piece.decode("utf-8", "replace"))
        return bool(piece)


def test_at_a_terminal_the_job_is_deleted_where_that_is_the_answer(serving: Operator) -> None:
    terminal = Terminal(serving, *LINE)
    terminal.until(SEEN)
    terminal.type("\x03")
    terminal.until("goes on in the cluster. Keep it, or delete it? [K/d]")
    terminal.type("d\n")
    assert terminal.end() == 1
    assert re.search(r"interrupted; job/vllm-bench-\S+ was deleted", terminal.shown)
    assert jobs(serving) == []


@pytest.mark.slow
def test_at_a_terminal_it_is_kept_by_default_and_the_same_line_joins_it(serving: Operator) -> None:
    terminal = Terminal(serving, *LINE)
    terminal.until(SEEN)
    terminal.type("\x03")
    terminal.until("[K/d]")
    terminal.type("\n")
    assert terminal.end() == 1
    (job,) = jobs(serving)
    name = job["metadata"]["name"]
    assert f"kubectl delete job {name} --namespace=default" in terminal.shown.replace("\r\n", "")
    other = serving.inv("bench", "--workload", "short", *SLOWLY)
    assert other.code == 1
    assert "not the same: workload chat, not short" in other.out
    joined = serving.inv(*LINE, *AT_ONCE)
    assert joined.code == 0, joined.out + joined.error
    assert f"joined job/{name}, which is running" in joined.out
    assert "16 requests" in joined.out
    assert [one["metadata"]["name"] for one in jobs(serving)] == [name]


def test_without_a_terminal_it_is_kept_and_said_how_to_go_on(serving: Operator) -> None:
    with serving.start(*LINE, "--json") as process:
        assert process.stdout is not None
        for line in process.stdout:
            if SEEN in json.loads(line).get("text", ""):
                break
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    (job,) = jobs(serving)
    ended = [json.loads(line) for line in out.splitlines()]
    error = next(one["outcome"]["error"] for one in ended if one["event"] == "step_ended")
    assert error["message"] == f"interrupted; job/{job['metadata']['name']} goes on in the cluster"
    assert "`inv bench` with the same variables joins it" in error["remedy"]
    assert f"to end it: kubectl delete job {job['metadata']['name']}" in error["remedy"]


def test_an_unknown_workload_is_refused_before_anything_changes(serving: Operator) -> None:
    serving.forget_requests()
    ended = serving.inv("bench", "--workload", "chatt")
    assert ended.code == 1
    assert "there is no workload chatt, did you mean chat?" in ended.error
    assert "there are: guide, guide-random, chat, short" in ended.error
    assert serving.requests() == []
