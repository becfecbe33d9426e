"""Every way in which a benchmark is no measurement, brought about on the stand-in: none is taken for one."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from runbook.clients.kube.forward import forward
from runbook.clients.kube.objects import Object, Reference
from runbook.clients.serving import ModelServer
from runbook.engine.errors import FailedError
from runbook.measurement.document import Document, read
from runbook.steps.bench import result
from runbook.steps.kube.drafts import draft
from tests.measurement.captures_of_vllm import CAPTURES, block_of, carried, saved_without_details
from tests.rehearsal.stand_in import eventually
from tests.steps_kube.deployment_place import BENCHMARK, ROOT, Place

CURRENT = "server.env.REHEARSAL_VLLM_VERSION=0.32.0"
RANDOM = "bench.dataset=random"
LONG = (RANDOM, "bench.num_prompts=400", "bench.max_concurrency=1")


@pytest.fixture(scope="module")
def serving(prepared: Place) -> Place:
    """Give the tests of this file one server; each has its own run."""
    prepared.with_settings(CURRENT).deploy()
    return prepared


@pytest.fixture
def run(run: Callable[..., Place]) -> Callable[..., Place]:
    """Give a test its run against the current server."""
    return partial(run, CURRENT)


def started(place: Place) -> Place:
    outcome = place.apply("bench.job", **BENCHMARK)
    assert outcome.error is None, outcome.error
    return place


def refused(place: Place) -> Document:
    """Follow the run's benchmark: it must be refused, and what is kept must say why."""
    error = place.apply("bench.result").error
    assert isinstance(error, FailedError), error
    kept = read(place.home / ".runs" / place.run_id / "bench.json")
    assert error.remedy == kept.verdict.findings[0].remedy
    assert f"({kept.verdict.name})" in error.message
    assert not kept.verdict.ok
    return kept


def job_that_prints(place: Place, file: Path, *options: str) -> None:
    """Run a Job whose client says what the file says, and exits with 0, as the real one does."""
    labels = {
        "app.kubernetes.io/managed-by": "runbook",
        "app.kubernetes.io/component": "benchmark",
        "runbook/environment": "rehearsal",
    }
    container = {
        "name": "bench",
        "image": "vllm/vllm-tpu:latest",
        "command": ["bash", "-c", f"cat {file}", "vllm"],
        "args": ["bench", "serve", "--dataset-name=random", *options],
    }
    job: Object = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": f"vllm-bench-{place.run_id}", "namespace": "default", "labels": labels},
        "spec": {
            "backoffLimit": 0,
            "template": {"spec": {"restartPolicy": "Never", "containers": [container]}},
        },
    }
    with place.cluster() as cluster:
        cluster.apply(job, field_manager="somebody", force=False)


def applied_by_hand(place: Place) -> Place:
    """Apply the rendered Job as somebody with kubectl would: nothing is looked at before."""
    loaded, template = place.loaded, BENCHMARK["template"]
    rendered = draft(ROOT / "manifests", template, loaded.variables, loaded.tree, "rehearsal", place.run_id)
    with place.cluster() as cluster:
        for item in rendered.objects:
            cluster.apply(item, field_manager="somebody", force=False)
    return place


def client_of(place: Place) -> list[int]:
    """Find the processes of the run's client: the only ones with its number of requests."""
    wanted = f"--num-prompts={place.loaded.variables.bench.num_prompts}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if wanted in words and b"python" in words[0]:
                found.append(int(folder.name))
    return found


def while_it_runs(place: Place, act: Callable[[list[int]], None]) -> Document:
    """Follow a benchmark, and do something to its client once its load has begun."""

    def wait_and_act() -> None:
        eventually(lambda: "Starting main benchmark run" in log_of(place), 60)
        act(client_of(place))

    started(place)
    thread = threading.Thread(target=wait_and_act)
    thread.start()
    try:
        return refused(place)
    finally:
        thread.join()


def ask_for(tokens: int, place: Place) -> None:
    """Ask the server for one answer, as another client would."""
    variables = place.loaded.variables
    model = f"{variables.volume.mount_path}/{variables.checkpoint.folder}"
    with (
        place.cluster() as cluster,
        forward(cluster, "default", "vllm-service", variables.server.port, 0, print) as opened,
        ModelServer(opened.address, 60) as server,
    ):
        server.complete({"model": model, "prompt": "Who else?", "max_tokens": tokens, "ignore_eos": True})


def log_of(place: Place) -> str:
    with place.cluster() as cluster:
        for pod in cluster.list("v1", "Pod", "default", labels={"job-name": f"vllm-bench-{place.run_id}"}):
            return cluster.logs("default", pod["metadata"]["name"], pod["spec"]["containers"][0]["name"])
    return ""


def saved(**changed: Any) -> dict[str, Any]:
    """A saved result of 20 answers of 64 tokens, changed, its throughputs reckoned anew."""
    found = saved_without_details("bench-0.32-random.json") | changed
    tokens = found["total_output_tokens"]
    found["output_throughput"] = tokens / found["duration"]
    found["total_token_throughput"] = (found["total_input_tokens"] + tokens) / found["duration"]
    return found


@pytest.mark.parametrize(
    ("capture", "prompts"), [("bench-0.32-wrong-model.stdout", 5), ("bench-0.32-some-fail.stdout", 12)]
)
def test_requests_that_failed_all_or_some(run: Callable[..., Place], capture: str, prompts: int) -> None:
    place = run()
    job_that_prints(place, CAPTURES / capture, f"--num-prompts={prompts}")
    kept = refused(place)
    assert kept.verdict.name == "failed_requests"
    assert "5 of" in kept.verdict.findings[0].evidence


def test_answers_that_broke_off_without_a_word(run: Callable[..., Place], tmp_path: Path) -> None:
    place, cut = run(), saved(total_output_tokens=1007)
    (tmp_path / "log").write_text(block_of(cut) + carried(cut))
    job_that_prints(place, tmp_path / "log", "--num-prompts=20", "--random-output-len=64")
    kept = refused(place)
    assert kept.verdict.name == "truncated"
    assert "1007 of 1280 tokens" in kept.verdict.findings[0].evidence


def test_a_log_that_contradicts_itself(run: Callable[..., Place], tmp_path: Path) -> None:
    place, right = run(), saved()
    (tmp_path / "log").write_text(block_of(right | {"median_ttft_ms": 99.5}) + carried(right))
    job_that_prints(place, tmp_path / "log", "--num-prompts=20", "--random-output-len=64")
    kept = refused(place)
    assert kept.verdict.name == "no_result"
    assert "median_ttft_ms is 99.5 in the block and 146.2" in kept.verdict.findings[0].evidence


def test_answers_that_the_server_clamped(run: Callable[..., Place]) -> None:
    place = run(RANDOM, "bench.input_len=980", "bench.output_len=64", "bench.num_prompts=7")
    kept = refused(applied_by_hand(place))
    assert kept.verdict.name == "clamped"
    assert kept.result["total_output_tokens"] < 7 * 64


def test_a_server_that_was_replaced_in_the_middle(run: Callable[..., Place]) -> None:
    place = run(*LONG)

    def replace(_: list[int]) -> None:
        with place.cluster() as cluster:
            (pod,) = cluster.list("v1", "Pod", "default", labels={"app": "vllm-tpu"})
            cluster.delete(Reference.to(pod))

    kept = while_it_runs(place, replace)
    assert kept.verdict.name == "interrupted"
    assert "the server was started anew" in kept.verdict.findings[0].evidence
    place.deploy()


def test_another_load_in_the_middle(run: Callable[..., Place]) -> None:
    place = run(RANDOM, "bench.num_prompts=61", "bench.max_concurrency=1")
    kept = while_it_runs(place, lambda _: ask_for(600, place))
    assert kept.verdict.name == "interrupted"
    # the ready check's answer is the client's own
    assert kept.verdict.findings[0].evidence == (
        f"another load ran meanwhile: the server generated {62 * 64 + 600} tokens, 600 more than this client "
        "asked for"
    )


def test_what_the_server_counted_long_after_the_end_is_not_the_runs(
    run: Callable[..., Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(result, "_SOON_SECONDS", 0.0)
    place = started(run(RANDOM, "bench.num_prompts=6"))
    eventually(lambda: "end of bench.json" in log_of(place), 60)
    ask_for(600, place)
    outcome = place.apply("bench.result")
    assert outcome.error is None, outcome.error
    (finding,) = read(place.home / ".runs" / place.run_id / "bench.json").verdict.findings
    assert "whether another load ran meanwhile: the server's own counters are not known" in finding.evidence


def test_a_client_that_was_ended(run: Callable[..., Place]) -> None:
    def end(found: list[int]) -> None:
        for pid in found:
            os.kill(pid, signal.SIGTERM)

    place = run(RANDOM, "bench.num_prompts=401", "bench.max_concurrency=1")
    kept = while_it_runs(place, end)
    assert kept.verdict.name == "interrupted"
    assert "SIGTERM (exit code 143)" in kept.verdict.findings[0].evidence
    assert (kept.result, kept.client) == ({}, None)


def test_a_job_that_ran_into_its_deadline(run: Callable[..., Place]) -> None:
    place = run(RANDOM, "bench.num_prompts=4000", "bench.max_concurrency=1", "bench.timeout_s=6")
    kept = refused(started(place))
    assert kept.verdict.name == "interrupted"
    assert "DeadlineExceeded" in kept.verdict.findings[0].evidence


def test_a_client_that_got_no_cpu(run: Callable[..., Place]) -> None:
    def starve(found: list[int]) -> None:
        for pid in found:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(6)
        for pid in found:
            os.kill(pid, signal.SIGCONT)

    place = run(RANDOM, "bench.num_prompts=25", "bench.output_len=700")
    kept = while_it_runs(place, starve)
    assert kept.verdict.name == "client_saturated"
    assert kept.result["completed"] == 25


def test_a_client_that_printed_no_result(run: Callable[..., Place]) -> None:
    kept = refused(applied_by_hand(run("bench.dataset_path=/no/such/file.txt")))
    assert kept.verdict.name == "no_result"
    assert "/no/such/file.txt" in kept.verdict.findings[0].evidence
