"""5.2 shows how far a benchmark is while it runs: by the server's counters, else by the logs."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest

from runbook.engine.errors import ConflictError, InterruptedRunError
from runbook.engine.outcome import Status
from tests.steps_kube.deployment_place import BENCHMARK, Place

COUNTED = re.compile(
    r"(?P<done>\d+) of 12 requests, (?P<share>\d+)% of the tokens; [\d,]+ output tokens/s \(REHEARSAL\); "
    r"\d running, \d waiting; (?P<left>.+) left"
)
FORWARDS = {"api": "kubernetes", "path": "/portforward", "kind": "status", "status": 403, "times": 1000}
LONG = ("bench.num_prompts=12", "bench.max_concurrency=2")


@pytest.fixture(scope="module")
def serving(prepared: Place) -> Place:
    """Give the tests of this file one server, whose decode step takes 20 ms."""
    prepared.cloud.control("PUT", "settings", {"step_ms": 20})
    prepared.deploy()
    return prepared


@pytest.mark.slow
def test_requests_tokens_queue_and_time_left_by_the_servers_counters(run: Callable[..., Place]) -> None:
    place = run(*LONG)
    _, result = place.line(("bench.job", BENCHMARK), ("bench.result", {}), check=False)
    assert result.status is Status.OK, result.error
    told = [found for text in place.voice.conditions if (found := COUNTED.fullmatch(text))]
    assert len(told) >= 3, place.voice.conditions
    shares = [int(found["share"]) for found in told]
    assert shares == sorted(shares)
    assert 0 < shares[-1] <= 100
    assert any(0 < int(found["done"]) < 12 for found in told)
    assert re.fullmatch(r"\d+ s|\d+m\d\ds", told[-1]["left"])


@pytest.mark.slow
def test_a_login_that_may_not_forward_ports_measures_and_sees_by_the_logs(run: Callable[..., Place]) -> None:
    place = run("bench.num_prompts=24", "bench.max_concurrency=2")
    place.cloud.control("POST", "faults", FORWARDS)
    job, result = place.line(("bench.job", BENCHMARK), ("bench.result", {}), check=False)
    assert job.status is Status.CHANGED, job.error
    assert result.status is Status.OK, result.error
    warning = next(text for text in place.voice.warnings if "was not asked before the benchmark" in text)
    assert "may not forward ports" in warning
    bar = r"\d+ of 24 requests"
    assert [text for text in place.voice.conditions if re.fullmatch(rf"{bar}(; .*)?; \d\d:\d\d left", text)]
    servers = rf"{bar}; [\d,]+ output tokens/s \(REHEARSAL\); \d running, \d waiting; .* left"
    assert [text for text in place.voice.conditions if re.fullmatch(servers, text)], place.voice.conditions


def test_an_interrupted_run_leaves_its_job_and_says_how_to_end_it(run: Callable[..., Place]) -> None:
    def interrupt(seconds: float) -> None:
        if any("requests" in text for text in place.voice.conditions):
            raise InterruptedRunError("interrupted")
        time.sleep(seconds)

    place = run(*LONG)
    place.apply("bench.job", **BENCHMARK)
    place.pause = interrupt
    error = place.apply("bench.result").error
    assert isinstance(error, InterruptedRunError)
    (reference,) = place.of_kind("batch/v1", "Job")
    assert error.message == f"interrupted; {reference} goes on in the cluster"
    assert f"kubectl delete job {reference.name} --namespace=default" in str(error.remedy)


def test_another_workload_is_refused_while_one_runs(run: Callable[..., Place]) -> None:
    run(*LONG).apply("bench.job", **BENCHMARK)
    (running,) = run().of_kind("batch/v1", "Job")
    other = run("bench.workload=chat").with_settings("bench.workload=chat", run_id="20261123-160000-beef")
    error = other.apply("bench.job", **BENCHMARK).error
    assert isinstance(error, ConflictError)
    assert error.message == f"{running} is measuring the server, and not the same: workload guide, not chat"
    assert f"kubectl delete job {running.name}" in str(error.remedy)
    fewer = other.with_settings(*LONG, "bench.num_prompts=11", run_id="20261123-160000-beef")
    error = fewer.apply("bench.job", **BENCHMARK).error
    assert isinstance(error, ConflictError)
    assert error.message.endswith("and not the same: --num-prompts 12, not 11")
