"""5.1 looks before it makes a Job: what would spoil an hour's run is told in a second; nothing is made."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from runbook.clients.kube.objects import Object
from runbook.engine.errors import FailedError, RunbookError, UserError
from runbook.engine.outcome import Status
from tests.steps_kube.deployment_place import BENCHMARK, Place

TAG = "vllm/vllm-tpu:nightly-ironwood-20251217-baf570b-0cd5353"


@pytest.fixture(scope="module")
def serving(prepared: Place) -> Place:
    """Give the tests of this file one server."""
    prepared.deploy()
    return prepared


def job(place: Place) -> Object:
    (reference,) = place.of_kind("batch/v1", "Job")
    found = place.get(reference)
    assert found is not None
    return found


def client(place: Place) -> Object:
    found: Object = job(place)["spec"]["template"]["spec"]["containers"][0]
    return found


def refused(place: Place) -> RunbookError:
    """Try to begin: it must be refused, with cause, place and remedy, and nothing may be written."""
    before = place.writes()
    error = place.apply("bench.job", **BENCHMARK).error
    assert error is not None
    assert error.place
    assert error.remedy
    assert place.writes() == before
    assert place.of_kind("batch/v1", "Job") == []
    return error


def put(place: Place, name: str, content: str) -> None:
    """Write an object into the bucket, as somebody else would."""
    path = f"/upload/storage/v1/b/rehearsal-models/o?uploadType=media&name={name.replace('/', '%2F')}"
    cloud = place.cloud
    answer = cloud.session.post(
        cloud.endpoints["google"] + path,
        data=content.encode(),
        headers={"Authorization": f"Bearer {cloud.token}", "Content-Type": "application/octet-stream"},
        timeout=30,
    )
    assert answer.ok, answer.text


def test_the_client_is_the_very_image_that_serves(run: Callable[..., Place]) -> None:
    place = run()
    place.apply("bench.job", **BENCHMARK)
    with place.cluster() as cluster:
        (pod,) = cluster.list("v1", "Pod", "default", labels={"app": "vllm-tpu"})
    serves = next(one for one in pod["status"]["containerStatuses"] if one["image"] == TAG)
    digest = serves["imageID"].partition("@")[2]
    assert re.fullmatch("sha256:[0-9a-f]{64}", digest)
    assert client(place)["image"] == f"vllm/vllm-tpu@{digest}"
    rendered = (place.home / ".runs" / "rehearsal" / "vllm-benchmark.yaml").read_text()
    assert f"vllm/vllm-tpu@{digest}" in rendered


def test_the_fingerprint_names_workload_client_and_version(run: Callable[..., Place]) -> None:
    place = run("bench.workload=short")
    job_outcome, result = place.line(("bench.job", BENCHMARK), ("bench.result", {}), check=False)
    assert "the workload short: 8 random prompts of 64 tokens, 4 at once" in job_outcome.reason
    assert result.status is Status.OK, result.error
    kept = json.loads((place.home / ".runs" / place.run_id / "bench.json").read_text())
    fingerprint = kept["fingerprint"]
    assert (fingerprint["workload"], fingerprint["client_version"]) == ("short", "0.13.0")
    assert fingerprint["client_image"] == fingerprint["server_image"] == TAG
    assert (fingerprint["dataset"], fingerprint["input_len"], fingerprint["num_prompts"]) == ("random", 64, 8)
    assert (kept["client"]["workload"], kept["client"]["environment"]) == ("short", "rehearsal")


def test_another_image_for_the_client_stays_as_it_is_named(run: Callable[..., Place]) -> None:
    place = run("bench.image=vllm/vllm-tpu:v0.29.0")
    place.apply("bench.job", **BENCHMARK)
    assert client(place)["image"] == "vllm/vllm-tpu:v0.29.0"


def test_a_workload_may_be_overridden_in_part(run: Callable[..., Place]) -> None:
    place = run("bench.workload=chat", "bench.num_prompts=3", "bench.workloads.chat.max_concurrency=2")
    assert place.check("bench.job", **BENCHMARK).status is Status.WOULD_CHANGE
    assert place.of_kind("batch/v1", "Job") == []
    place.apply("bench.job", **BENCHMARK)
    arguments = client(place)["args"]
    assert {"--random-input-len=128", "--random-output-len=128"} <= set(arguments)
    assert {"--num-prompts=3", "--max-concurrency=2"} <= set(arguments)
    assert job(place)["metadata"]["annotations"]["runbook/workload"] == "chat"


def test_the_preflights_own_answer_is_not_counted(run: Callable[..., Place]) -> None:
    place = run("bench.num_prompts=2")
    place.apply("bench.job", **BENCHMARK)
    before = json.loads(job(place)["metadata"]["annotations"]["runbook/server-before"])["counters"]
    assert before["answered"] >= 1  # the answer that the preflight asked for came before


def test_sonnet_fills_the_models_length_and_random_prompts_do_not(run: Callable[..., Place]) -> None:
    error = refused(run("bench.dataset=random", "bench.input_len=945", "bench.output_len=64"))
    assert isinstance(error, UserError)
    assert "prompts of 945 and answers of 64 tokens do not fit max-model-len 1024" in error.message
    assert "bench.input_len to at most 944" in str(error.remedy)
    fitting = run("bench.input_len=960", "bench.output_len=64", "bench.num_prompts=1")
    assert fitting.apply("bench.job", **BENCHMARK).status is Status.CHANGED


def test_what_the_server_takes_counts_and_not_what_the_variables_say(run: Callable[..., Place]) -> None:
    error = refused(run("server.flags.max-model-len=9216", "bench.input_len=1024", "bench.output_len=8192"))
    assert "do not fit max-model-len 1024" in error.message


def test_a_model_that_the_server_does_not_serve(run: Callable[..., Place]) -> None:
    error = refused(run("volume.mount_path=/elsewhere"))
    assert isinstance(error, FailedError)
    assert "asks for /elsewhere/gpt-oss-tiny, and the server serves rehearsal/gpt-oss-tiny" in error.message
    assert str(error.place) == "GET /v1/models of service/vllm-service"


def test_a_folder_without_tokenizer_or_chat_template(run: Callable[..., Place]) -> None:
    put(run(), "bare/config.json", "{}")
    assert "no tokenizer" in refused(run("checkpoint.folder=bare")).message
    put(run(), "bare/tokenizer.json", "{}")
    put(run(), "bare/tokenizer_config.json", "{}")
    error = refused(run("checkpoint.folder=bare"))
    assert "no chat template (chat_template.jinja), which sonnet's prompts need" in error.message
    assert str(error.place) == "gs://rehearsal-models/bare"
    # older models have it in the configuration; random prompts, and a tokenizer from the hub, need none
    put(run(), "old/tokenizer.json", "{}")
    put(run(), "old/tokenizer_config.json", '{"chat_template": "{{ messages }}"}')
    for settings in (
        ("checkpoint.folder=old",),
        ("checkpoint.folder=bare", "bench.workload=short"),
        ("checkpoint.folder=bare", "bench.tokenizer=hub"),
    ):
        assert "the server serves" in refused(run(*settings)).message


def test_sonnet_is_gone_from_a_newer_server(serving: Place, run: Callable[..., Place]) -> None:
    newer = "server.env.REHEARSAL_VLLM_VERSION=0.32.0"
    serving.with_settings(newer).deploy()
    error = refused(run(newer))
    assert isinstance(error, UserError)
    assert "sonnet is gone from vLLM 0.32 on, and this is vLLM 0.32.0" in error.message
    assert "inv bench --workload guide-random" in str(error.remedy)
    assert run(newer, "bench.workload=guide-random").apply("bench.job", **BENCHMARK).error is None
    serving.deploy()
