"""The whole main job with vLLM itself in the containers, server and client. It takes minutes: `-m real_vllm`.

RUNBOOK_REHEARSAL_VLLM_ENVIRONMENT names the environment that has it, see docs/rehearsal-vllm.md.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import Ended, Operator, new_operator
from tests.measurement.captures_of_vllm import CAPTURES

VLLM = os.environ.get("RUNBOOK_REHEARSAL_VLLM_ENVIRONMENT")
LINE = ("setup", "deploy", "smoke", "bench")
ENVIRONMENT = ("--set", f"rehearsal.vllm_environment={VLLM}")
CLIENT = ("--set", "rehearsal.bench_client=vllm", "--set", "bench.dataset=random", *ENVIRONMENT)
SERVER = ("--set", "rehearsal.engine=vllm", "--set", "server.flags.enforce-eager=true")
PATIENCE_SECONDS = 1800
SINGLE_REQUESTS = {"input_lens", "output_lens", "start_times", "ttfts", "itls", "generated_texts", "errors"}
"""What --save-detailed adds."""
METADATA = {"workload", "environment", "job"}
"""What the Job tells the client to keep (`--metadata`)."""

pytestmark = [
    pytest.mark.real_vllm,
    pytest.mark.skipif(
        VLLM is None,
        reason="RUNBOOK_REHEARSAL_VLLM_ENVIRONMENT names no environment with vLLM: docs/rehearsal-vllm.md",
    ),
]


@dataclass(frozen=True)
class Job:
    """The main job, done."""

    operator: Operator
    ended: Ended

    @property
    def kept(self) -> dict[str, Any]:
        """The benchmark's document."""
        (file,) = (self.operator.home / ".runs").glob("*/bench.json")
        found: dict[str, Any] = json.loads(file.read_text())
        return found

    def log_of(self, container: str) -> str:
        """What a container has said, its runs one after the other."""
        found = (self.operator.home / ".rehearsal").rglob(f"logs/{container}/*.log")
        return "".join(file.read_text() for file in sorted(found))


def _job(home: Path, *words: str) -> Iterator[Job]:
    for operator in new_operator(home):
        ended = operator.inv(*LINE, *words, timeout=PATIENCE_SECONDS)
        yield Job(operator, ended)


@pytest.fixture(scope="module")
def job(tmp_path_factory) -> Iterator[Job]:
    """Real server and real client."""
    yield from _job(tmp_path_factory.mktemp("both"), *SERVER, *CLIENT)


@pytest.fixture(scope="module")
def client_job(tmp_path_factory) -> Iterator[Job]:
    """The real client against the stand-in server; its tokenizer comes from the rehearsal's hub."""
    yield from _job(tmp_path_factory.mktemp("client"), *CLIENT, "--set", "bench.tokenizer=hub")


def test_it_ends_well(job):
    assert job.ended.code == 0, job.ended.out + job.ended.error
    assert job.ended.recap["failed"] == 0
    assert "asked for 7 tokens after 'San Francisco is a'" in job.ended.out


def test_the_weights_are_read_from_the_rehearsals_bucket(job):
    log = job.log_of("vllm-tpu")
    folder = re.search(r"-> --model=(\S+)", log)
    assert folder is not None, log
    assert Path(folder[1]).is_relative_to(job.operator.home / ".rehearsal")
    assert "100% Completed | 15/15" in log
    assert "Application startup complete" in log
    assert "startup probe" not in job.ended.out


def test_the_wait_says_how_far_the_start_is(job):
    told = {line.rpartition("; ")[2] for line in job.ended.out.splitlines() if line.startswith("... 4.3")}
    assert told & {"reading its configuration", "starting the engine", "loading weights"}, told


def test_the_real_clients_result_is_sound_and_marked_as_a_rehearsals(job):
    kept = job.kept
    assert (kept["verdict"]["name"], kept["verdict"]["findings"], kept["full_precision"]) == ("ok", [], True)
    assert kept["rehearsal"] is True
    assert kept["fingerprint"]["accelerator"] == "cpu"
    assert re.fullmatch(rf"\d+\.\d+\S* of {VLLM}", kept["fingerprint"]["client_version"])
    assert "rehearsal" not in kept["client"], "the stand-in client would say so in its JSON"
    assert "REHEARSAL: vLLM's client measured vLLM on this machine's CPU" in job.ended.out


def test_the_real_client_keeps_the_keys_that_the_captures_have(job):
    captured = json.loads((CAPTURES / "bench-0.32-random.json").read_text())
    assert job.kept["client"].keys() == (captured.keys() - SINGLE_REQUESTS) | METADATA


def test_the_real_client_takes_the_stand_in_for_a_server(client_job):
    assert client_job.ended.code == 0, client_job.ended.out + client_job.ended.error
    kept = client_job.kept
    assert kept["verdict"]["name"] == "ok"
    assert kept["fingerprint"]["accelerator"] == "tpu7x"
    assert "REHEARSAL: vLLM's client measured a stand-in on this machine" in client_job.ended.out
