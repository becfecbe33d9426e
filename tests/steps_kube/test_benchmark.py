"""5.1 and 5.2: one Job a run, followed to its end, its result kept or refused."""

from __future__ import annotations

import json
import time

import pytest

from runbook.clients.kube.objects import Reference
from runbook.engine.errors import ConflictError, FailedError, MissingError
from runbook.engine.outcome import Status
from runbook.measurement.document import FINGERPRINT
from tests.steps_kube.deployment_place import BENCHMARK, Place

LONG = ("bench.num_prompts=400", "bench.max_concurrency=1")


def jobs(place: Place) -> list[str]:
    return [reference.name for reference in place.of_kind("batch/v1", "Job")]


def test_a_run_has_a_job_of_its_own_and_its_result_is_kept(deployed: Place) -> None:
    assert deployed.converges("bench.job", **BENCHMARK) == ["job/vllm-bench-20261123-154200-1a2b"]
    outcome = deployed.apply("bench.result")
    assert outcome.status is Status.OK, outcome.error
    kept = json.loads((deployed.home / ".runs" / deployed.run_id / "bench.json").read_text())
    assert kept["verdict"] == {"name": "ok", "findings": []}
    assert (kept["result"]["completed"], kept["result"]["failed"]) == (24, 0)
    assert (kept["schema"], kept["rehearsal"], kept["full_precision"]) == (2, True, True)
    assert kept["result"]["total_output_tokens"] == kept["client"]["total_output_tokens"] == 24 * 64
    per_chip = kept["result"]["output_throughput"] / 4
    assert kept["derived"]["output_tokens_per_s_per_chip"] == pytest.approx(per_chip)
    assert kept["fingerprint"].keys() == set(FINGERPRINT)
    assert kept["fingerprint"]["server_digest"].startswith("sha256:")
    (block,) = deployed.voice.outputs
    assert block.splitlines()[0].startswith("REHEARSAL:")
    assert block.splitlines()[1] == "============ Serving Benchmark Result ============"
    assert "Serving Benchmark Result" in (deployed.home / ".runs" / deployed.run_id / "bench.log").read_text()


def test_the_next_run_has_another_job_and_the_newest_is_looked_at(deployed: Place) -> None:
    deployed.line(("bench.job", BENCHMARK), ("bench.result", {}), check=False)
    later = deployed.with_settings(run_id="20261123-160000-beef")
    assert later.converges("bench.job", **BENCHMARK) == ["job/vllm-bench-20261123-160000-beef"]
    assert later.apply("bench.result").status is Status.OK
    alone = deployed.with_settings(run_id="20261123-170000-cafe")
    assert "24 requests" in alone.apply("bench.result").reason
    assert len(jobs(deployed)) == 2


def test_a_benchmark_that_was_left_running_is_joined(deployed: Place) -> None:
    deployed.with_settings(*LONG).apply("bench.job", **BENCHMARK)
    again = deployed.with_settings(*LONG, run_id="20261123-160000-beef")
    job, result = again.line(("bench.job", BENCHMARK), ("bench.result", {}), check=False)
    assert job.reason == "joined job/vllm-bench-20261123-154200-1a2b, which is running"
    assert result.status is Status.OK, result.error
    assert jobs(again) == ["vllm-bench-20261123-154200-1a2b"]
    assert [condition for condition in again.voice.conditions if "requests" in condition]


def test_a_running_benchmark_with_other_settings_is_a_conflict(deployed: Place) -> None:
    deployed.with_settings(*LONG).apply("bench.job", **BENCHMARK)
    other = deployed.with_settings("bench.num_prompts=10", run_id="20261123-160000-beef")
    assert isinstance(other.apply("bench.job", **BENCHMARK).error, ConflictError)


def test_a_result_is_judged_by_what_its_job_asked_for(deployed: Place) -> None:
    deployed.with_settings("bench.output_len=3", "bench.num_prompts=5").apply("bench.job", **BENCHMARK)
    outcome = deployed.apply("bench.result")
    assert outcome.status is Status.OK, outcome.error
    assert "5 requests" in outcome.reason


def test_a_benchmark_that_ends_without_a_result_shows_its_last_lines(deployed: Place) -> None:
    broken = deployed.with_settings("bench.dataset_path=/no/such/file.txt")
    broken.apply("bench.job", **BENCHMARK)
    error = broken.apply("bench.result").error
    assert isinstance(error, FailedError)
    assert "no result (no_result)" in error.message
    assert "/no/such/file.txt" in error.message


def test_without_a_server_the_step_that_deploys_it_is_named(place: Place) -> None:
    error = place.apply("bench.job", **BENCHMARK).error
    assert isinstance(error, MissingError)
    assert error.supplied_by == "kube.apply"


def test_without_a_job_the_step_that_starts_it_is_named(place: Place) -> None:
    error = place.apply("bench.result").error
    assert isinstance(error, MissingError)
    assert error.supplied_by == "bench.job"


def test_without_a_cluster_the_step_that_makes_it_is_named(empty: Place) -> None:
    for uses, arguments in (("bench.job", BENCHMARK), ("bench.result", {})):
        error = empty.apply(uses, **arguments).error
        assert isinstance(error, MissingError)
        assert error.supplied_by == "gke.cluster"


def test_a_job_that_was_deleted_is_not_followed(deployed: Place) -> None:
    busy = deployed.with_settings(*LONG)
    busy.apply("bench.job", **BENCHMARK)
    name = Reference("batch/v1", "Job", "default", jobs(deployed)[0])
    deployed.delete(name)
    error = busy.apply("bench.result").error
    assert isinstance(error, MissingError)
    assert error.supplied_by == "bench.job"


def test_a_job_that_is_deleted_while_it_is_followed_is_no_measurement(deployed: Place) -> None:
    def delete(seconds: float) -> None:
        if not gone:
            gone.append(seconds)
            deployed.delete(*deployed.of_kind("batch/v1", "Job"))
        time.sleep(seconds)

    gone: list[float] = []
    busy = deployed.with_settings(*LONG)
    busy.apply("bench.job", **BENCHMARK)
    busy.pause = delete
    error = busy.apply("bench.result").error
    assert isinstance(error, FailedError)
    assert "no result (interrupted)" in error.message
    assert "was deleted" in error.message


@pytest.mark.slow
def test_a_benchmark_that_fits_no_node_ends_early(deployed: Place) -> None:
    misplaced = deployed.with_settings("bench.placement=tpu-node", "tpu.accelerator=tpu9")
    misplaced.apply("bench.job", **BENCHMARK)
    error = misplaced.apply("bench.result").error
    assert isinstance(error, FailedError)
    assert "Unschedulable" in error.message
    assert "didn't match Pod's node affinity/selector" in error.message


@pytest.mark.slow
def test_a_benchmark_whose_image_is_not_there_ends_early(deployed: Place) -> None:
    missing = deployed.with_settings("bench.image=vllm/vllm-tpu:missing")
    missing.apply("bench.job", **BENCHMARK)
    error = missing.apply("bench.result").error
    assert isinstance(error, FailedError)
    assert "ImagePull" in error.message
