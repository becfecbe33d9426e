"""The benchmark client against the model server: what vLLM's own client prints, saves and conceals."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.serving.programs import Server, StartServer, free_port, run, start
from tests.serving.test_model_server_starts import write_container

GUIDE_BLOCK = """\
============ Serving Benchmark Result ============
Successful requests:                     N
Failed requests:                         N
Benchmark duration (s):                  N
Total input tokens:                      N
Total generated tokens:                  N
Request throughput (req/s):              N
Output token throughput (tok/s):         N
Peak output token throughput (tok/s):    N
Peak concurrent requests:                N
Total Token throughput (tok/s):          N
---------------Time to First Token----------------
Mean TTFT (ms):                          N
Median TTFT (ms):                        N
P99 TTFT (ms):                           N
-----Time per Output Token (excl. 1st token)------
Mean TPOT (ms):                          N
Median TPOT (ms):                        N
P99 TPOT (ms):                           N
---------------Inter-token Latency----------------
Mean ITL (ms):                           N
Median ITL (ms):                         N
P99 ITL (ms):                            N
=================================================="""
SAVED_KEYS = (
    "date endpoint_type backend label model_id tokenizer_id num_prompts request_rate burstiness"
    " max_concurrency duration completed failed total_input_tokens total_output_tokens request_throughput"
    " request_goodput output_throughput total_token_throughput input_lens output_lens ttfts itls"
    " generated_texts errors max_output_tokens_per_s max_concurrent_requests mean_ttft_ms median_ttft_ms"
    " std_ttft_ms p99_ttft_ms mean_tpot_ms median_tpot_ms std_tpot_ms p99_tpot_ms mean_itl_ms"
    " median_itl_ms std_itl_ms p99_itl_ms rehearsal"
)
SMALL = ("--dataset-name=random", "--random-input-len=64", "--random-output-len=16", "--ignore-eos")


def block(stdout: str) -> list[str]:
    lines = stdout.splitlines()
    return lines[lines.index("============ Serving Benchmark Result ============") :]


def figures(stdout: str) -> dict[str, float]:
    found = (re.fullmatch(r"(.*?):\s+([\d.]+)\s*", line) for line in block(stdout))
    return {match[1]: float(match[2]) for match in found if match}


def address(server: Server, model: Path) -> list[str]:
    return ["--host=127.0.0.1", f"--port={server.port}", f"--model={model}"]


def saved(folder: Path, name: str = "result.json") -> dict[str, Any]:
    result: dict[str, Any] = json.loads((folder / name).read_text())
    return result


def test_the_guide_s_benchmark_prints_the_guide_s_block(
    server: Server, shared_model: Path, tmp_path: Path
) -> None:
    container = write_container(
        tmp_path / "container.json",
        hosts={"vllm-service:8000": f"127.0.0.1:{server.port}"},
        mounts={str(shared_model.parent): str(shared_model.parent)},
    )
    words = [
        "bench", "serve", "--dataset-name=sonnet", "--sonnet-input-len=1024", "--sonnet-output-len=128",
        "--dataset-path=/workspace/vllm/benchmarks/sonnet.txt", "--num-prompts=6", "--ignore-eos",
        "--host=vllm-service", "--port=8000", f"--model={shared_model}",
    ]  # fmt: skip
    ran = run("vllm", *words, cwd=tmp_path, REHEARSAL_CONTAINER=container)
    assert ran.returncode == 0, ran.stderr
    lines = block(ran.stdout)
    shape = [re.sub(r"(:\s+)[\d.]+\s*$", r"\1N", line) for line in lines]
    assert shape == GUIDE_BLOCK.splitlines()
    assert all(len(line) == 51 for line in lines if ":" in line and len(line.split()[-1]) <= 10)
    read = figures(ran.stdout)
    assert (read["Successful requests"], read["Failed requests"]) == (6, 0)
    assert read["Total generated tokens"] == 6 * 128
    assert 6 * 970 < read["Total input tokens"] <= 6 * 1024
    assert read["Peak concurrent requests"] == 6


def test_the_figures_are_said_to_be_a_rehearsal_s_before_they_come(
    server: Server, shared_model: Path, tmp_path: Path
) -> None:
    ran = run("bench", *address(server, shared_model), *SMALL, "--num-prompts=2", cwd=tmp_path)
    lines = ran.stdout.splitlines()
    assert "rehearsal" in lines[0]
    assert lines[1].startswith("Namespace(subparser='bench', bench_type='serve', dispatch_function=<function")
    assert "rehearsal" in lines[lines.index("============ Serving Benchmark Result ============") - 1]
    assert lines[2].endswith("Sampling input_len from [64, 64] and output_len from [16, 16]")
    assert [line for line in lines[3:-25] if "tokens than expected" not in line][:8] == [
        "Starting initial single prompt test run...",
        "Waiting for endpoint to become up in 600 seconds",
        "Initial test run completed.",
        "Starting main benchmark run...",
        "Traffic request rate: inf",
        "Burstiness factor: 1.0 (Poisson process)",
        "Maximum request concurrency: None",
        "tip: install termplotlib and gnuplot to plot the metrics",
    ]


def test_client_and_server_count_the_same_tokens(
    start_server: StartServer, shared_model: Path, tmp_path: Path
) -> None:
    server = start_server(shared_model)
    ran = run(
        "bench", *address(server, shared_model), *SMALL, "--num-prompts=8", "--ready-check-timeout-sec=0",
        cwd=tmp_path,
    )  # fmt: skip
    read = figures(ran.stdout)
    assert read["Total input tokens"] == server.metric("vllm:prompt_tokens_total")
    assert read["Total generated tokens"] == server.metric("vllm:generation_tokens_total") == 8 * 16
    assert server.metric("vllm:request_success_total") == 8


def test_the_ready_check_is_one_request_more(
    start_server: StartServer, shared_model: Path, tmp_path: Path
) -> None:
    server = start_server(shared_model)
    run("bench", *address(server, shared_model), *SMALL, "--num-prompts=3", "--num-warmups=2", cwd=tmp_path)
    assert server.metric("vllm:request_success_total") == 1 + 2 + 3


def test_the_saved_result_has_vllm_s_keys(server: Server, shared_model: Path, tmp_path: Path) -> None:
    options = ["--save-result", "--save-detailed", "--result-dir=out", "--result-filename=result.json"]
    run("bench", *address(server, shared_model), *SMALL, "--num-prompts=3", *options, cwd=tmp_path)
    result = saved(tmp_path / "out")
    assert list(result) == SAVED_KEYS.split()
    assert result["request_rate"] == "inf"
    assert (result["completed"], result["output_lens"]) == (3, [16, 16, 16])
    assert [len(gaps) for gaps in result["itls"]] == [15, 15, 15]
    assert result["errors"] == ["", "", ""]
    assert result["model_id"] == result["tokenizer_id"] == str(shared_model)


@pytest.mark.parametrize(("version", "lists"), [("0.13.2", []), ("0.32.0", ["latencies", "queue_times"])])
def test_without_details_a_current_release_still_keeps_two_lists(
    server: Server, shared_model: Path, tmp_path: Path, version: str, lists: list[str]
) -> None:
    run(
        "bench", *address(server, shared_model), *SMALL, "--num-prompts=2", "--save-result",
        "--result-filename=result.json", cwd=tmp_path, REHEARSAL_VLLM_VERSION=version,
    )  # fmt: skip
    assert [key for key, value in saved(tmp_path).items() if isinstance(value, list)] == lists


def test_every_latency_percentile_goal_and_limit_asked_for_is_shown(
    server: Server, shared_model: Path, tmp_path: Path
) -> None:
    ran = run(
        "bench", *address(server, shared_model), *SMALL, "--num-prompts=4", "--max-concurrency=2",
        "--request-rate=200", "--burstiness=2", "--percentile-metrics=ttft,tpot,itl,e2el",
        "--metric-percentiles=50,99.9", "--goodput", "ttft:60000", "e2el:60000", "--metadata", "run_id=abc",
        "image=x", "--label=demo", "--save-result", "--result-filename=result.json",
        cwd=tmp_path,
    )  # fmt: skip
    lines = block(ran.stdout)
    assert lines[3] == "Maximum request concurrency:             2         "
    assert lines[4] == "Request rate configured (RPS):           200.00    "
    assert "Burstiness factor: 2.0 (Gamma distribution)" in ran.stdout
    assert "----------------End-to-end Latency----------------" in lines
    assert {"P50 E2EL (ms)", "P99.9 E2EL (ms)"} <= set(figures(ran.stdout))
    result = saved(tmp_path)
    assert (result["run_id"], result["image"], result["label"]) == ("abc", "x", "demo")
    assert result["request_goodput"] == result["request_throughput"]
    assert result["p99.9_ttft_ms"] >= result["p50_ttft_ms"]
    assert list(result)[7:9] == ["run_id", "image"]
    assert "ttfts" not in result


def test_a_current_release_shows_the_client_s_own_queue(
    server: Server, shared_model: Path, tmp_path: Path
) -> None:
    asked = "ttft,tpot,itl,e2el,client_queue_time,e2el_including_client_queue"
    ran = run(
        "bench", *address(server, shared_model), *SMALL, "--num-prompts=4", "--max-concurrency=2",
        "--request-rate=500", f"--percentile-metrics={asked}", cwd=tmp_path, REHEARSAL_VLLM_VERSION="0.32.0",
    )  # fmt: skip
    titles = [line.strip("-") for line in block(ran.stdout) if line.startswith("--")]
    assert titles[-3:] == [
        "End-to-end Latency", "Client-side Queueing", "Queue-inclusive End-to-end Latency",
    ]  # fmt: skip
    assert "WARNING: vllm bench serve no longer sets temperature==0" in ran.stdout
    assert "Skipping endpoint ready check." in ran.stdout
    assert "Total token throughput (tok/s)" in figures(ran.stdout)


def test_appended_results_are_lines(server: Server, shared_model: Path, tmp_path: Path) -> None:
    for _ in range(2):
        run(
            "bench", *address(server, shared_model), *SMALL, "--num-prompts=1", "--append-result",
            "--result-filename=all.jsonl", cwd=tmp_path,
        )  # fmt: skip
    lines = (tmp_path / "all.jsonl").read_text().splitlines()
    assert [json.loads(line)["completed"] for line in lines] == [1, 1]


def test_progress_is_one_line_written_over(server: Server, shared_model: Path, tmp_path: Path) -> None:
    ran = run("bench", *address(server, shared_model), *SMALL, "--num-prompts=2", cwd=tmp_path)
    quiet = run(
        "bench", *address(server, shared_model), *SMALL, "--num-prompts=2", "--disable-tqdm",
        "--ready-check-timeout-sec=0", cwd=tmp_path,
    )  # fmt: skip
    states = ran.stderr.splitlines()
    assert "  0%|          | 0/2 [00:00<?, ?it/s]" in states
    assert re.fullmatch(r"100%\|██████████\| 2/2 \[00:00<00:00, .*it/s\]", states[-1])
    assert quiet.stderr == ""


def test_the_first_model_is_asked_for_when_none_is_named(
    server: Server, shared_model: Path, tmp_path: Path
) -> None:
    ran = run("bench", f"--port={server.port}", *SMALL, "--num-prompts=1", cwd=tmp_path)
    assert f"First model name: {shared_model}, first model id: {shared_model}" in ran.stdout
    assert figures(ran.stdout)["Successful requests"] == 1


def test_a_wrong_model_fails_every_request_and_still_exits_with_0(
    server: Server, shared_model: Path, tmp_path: Path
) -> None:
    ran = run(
        "bench", "--host=127.0.0.1", f"--port={server.port}", "--model=/model-vol-mount/wrong",
        f"--tokenizer={shared_model}", *SMALL, "--num-prompts=5", "--ready-check-timeout-sec=0",
        "--save-result", "--result-filename=result.json", cwd=tmp_path,
    )  # fmt: skip
    assert ran.returncode == 0
    said = ran.stdout[ran.stdout.index("Failed requests during") :].splitlines()
    assert said[0] == "Failed requests during benchmark run detected (capping to 10):"
    assert said[1:6] == [f"Error {number}: Not Found" for number in range(5)]
    assert "tip:" not in ran.stdout
    assert "All requests failed." in ran.stderr
    read = figures(ran.stdout)
    assert (read["Successful requests"], read["Failed requests"]) == (0, 5)
    assert {value for name, value in read.items() if name.endswith("(ms)")} == {0.0}
    assert saved(tmp_path)["failed"] == 5


def test_prompts_that_are_too_long_fail_alone(server: Server, shared_model: Path, tmp_path: Path) -> None:
    ran = run(
        "bench", *address(server, shared_model), "--dataset-name=random", "--random-input-len=9200",
        "--random-output-len=16", "--random-range-ratio=0.02", "--num-prompts=12", "--ignore-eos",
        "--ready-check-timeout-sec=0", cwd=tmp_path, REHEARSAL_VLLM_VERSION="0.32.0",
    )  # fmt: skip
    read = figures(ran.stdout)
    assert ran.returncode == 0
    assert "Sampling input_len from [9016, 9384] and output_len from [15, 17]" in ran.stdout
    assert read["Failed requests"] > 0
    assert read["Successful requests"] + read["Failed requests"] == 12
    assert "Error 0: Bad Request" in ran.stdout


def test_a_server_that_is_not_there_ends_the_ready_check(shared_model: Path, tmp_path: Path) -> None:
    port = free_port()
    ran = run(
        "bench", "--host=127.0.0.1", f"--port={port}", f"--model={shared_model}", *SMALL, "--num-prompts=5",
        "--ready-check-timeout-sec=1", cwd=tmp_path,
    )  # fmt: skip
    assert ran.returncode == 1
    assert ran.stdout.splitlines()[-1] == "Waiting for endpoint to become up in 1 seconds"
    assert "ValueError: Initial test run failed - Please make sure benchmark arguments are" in ran.stderr
    assert f"Cannot connect to host 127.0.0.1:{port}" in ran.stderr


def test_without_ready_check_an_absent_server_is_five_failures_and_exit_0(
    shared_model: Path, tmp_path: Path
) -> None:
    ran = run(
        "bench", "--host=127.0.0.1", f"--port={free_port()}", f"--model={shared_model}", *SMALL,
        "--num-prompts=5", cwd=tmp_path, REHEARSAL_VLLM_VERSION="0.32.0",
    )  # fmt: skip
    assert ran.returncode == 0
    assert "WARNING: /tokenize unavailable, skipping alignment." in ran.stdout
    assert "Error 4: Traceback (most recent call last):" in ran.stdout
    assert "aiohttp.client_exceptions.ClientConnectorError: Cannot connect to host" in ran.stdout
    assert figures(ran.stdout)["Failed requests"] == 5


def test_a_service_that_the_cluster_does_not_know_is_not_resolved(shared_model: Path, tmp_path: Path) -> None:
    container = write_container(tmp_path / "container.json")
    ran = run(
        "bench", "--host=vllm-service", f"--model={shared_model}", *SMALL, "--num-prompts=1",
        "--ready-check-timeout-sec=1", cwd=tmp_path, REHEARSAL_CONTAINER=container,
    )  # fmt: skip
    assert ran.returncode == 1
    assert "Cannot connect to host vllm-service:8000 ssl:default [Name or service not known]" in ran.stderr


def test_a_server_stopped_in_mid_run_is_seen_in_the_tokens_only(
    start_server: StartServer, shared_model: Path, tmp_path: Path
) -> None:
    server = start_server(shared_model, REHEARSAL_STEP_MS="10")
    log = tmp_path / "bench.log"
    words = ["--dataset-name=random", "--random-input-len=16", "--random-output-len=2000", "--ignore-eos"]
    client = start(
        "bench", *address(server, shared_model), *words, "--num-prompts=4", "--ready-check-timeout-sec=0",
        log=log,
    )  # fmt: skip
    server.wait_for("vllm:num_requests_running", 4)
    while server.metric("vllm:generation_tokens_total") < 40:
        pass
    assert server.stop() == 0
    assert client.wait(timeout=30) == 0
    read = figures(log.read_text())
    assert (read["Successful requests"], read["Failed requests"]) == (4, 0)
    assert 0 < read["Total generated tokens"] < 4 * 2000


def test_a_tokenizer_that_is_not_there_ends_the_client(server: Server, tmp_path: Path) -> None:
    ran = run(
        "bench", f"--port={server.port}", "--model=x", "--tokenizer=/nonexistent/tok", *SMALL, cwd=tmp_path
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith("Traceback (most recent call last):\n")
    assert ran.stderr.splitlines()[-1] == (
        "OSError: Repo id must be in the form 'repo_name' or 'namespace/repo_name': '/nonexistent/tok'."
        " Use `repo_type` argument if needed."
    )


def test_sonnet_needs_a_chat_template(server: Server, model: Path, tmp_path: Path) -> None:
    (model / "chat_template.jinja").unlink()
    ran = run(
        "bench", *address(server, model), "--dataset-name=sonnet", "--num-prompts=1",
        "--dataset-path=/workspace/vllm/benchmarks/sonnet.txt", cwd=tmp_path,
    )  # fmt: skip
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1] == (
        "AssertionError: Tokenizer/model must have chat template for sonnet dataset."
    )


def test_sonnet_needs_its_file(server: Server, shared_model: Path, tmp_path: Path) -> None:
    words = [*address(server, shared_model), "--dataset-name=sonnet"]
    missing = run("bench", *words, "--dataset-path=/nowhere/sonnet.txt", cwd=tmp_path)
    unnamed = run("bench", *words, cwd=tmp_path)
    assert (missing.returncode, unnamed.returncode) == (1, 1)
    assert missing.stderr.splitlines()[-1].startswith("FileNotFoundError: [Errno 2] No such file")
    assert unnamed.stderr.splitlines()[-1] == "ValueError: dataset_path must be provided."


def test_sonnet_is_gone_from_a_current_release(tmp_path: Path) -> None:
    ran = run("bench", "--dataset-name=sonnet", cwd=tmp_path, REHEARSAL_VLLM_VERSION="0.32.0")
    assert ran.returncode == 2
    assert ran.stderr == (
        "usage: vllm bench serve [options]\n"
        "vllm bench <bench_type> [options] serve: error: argument --dataset-name: invalid choice: 'sonnet'"
        " (choose from 'sharegpt', 'burstgpt', 'random', 'random-mm', 'random-rerank', 'hf', 'custom',"
        " 'custom_audio', 'custom_image', 'prefix_repetition', 'spec_bench', 'speed_bench', 'timed_trace')\n"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--dataset-name=hf"], "the rehearsal plays the datasets sonnet and random, not hf"),
        (["--profile"], "the rehearsal does not play --profile"),
        (["--num-prompt=3"], "unrecognized arguments: --num-prompt=3"),
    ],
)
def test_what_cannot_be_played_is_refused(tmp_path: Path, words: list[str], said: str) -> None:
    ran = run("bench", *words, cwd=tmp_path)
    assert ran.returncode == 2
    assert said in ran.stderr


def test_chat_is_measured_too(server: Server, shared_model: Path, tmp_path: Path) -> None:
    ran = run(
        "bench", *address(server, shared_model), *SMALL, "--num-prompts=2", "--backend=openai-chat",
        "--endpoint=/v1/chat/completions", cwd=tmp_path,
    )  # fmt: skip
    assert figures(ran.stdout)["Total generated tokens"] == 32


def test_a_key_from_the_environment_opens_the_server(
    start_server: StartServer, shared_model: Path, tmp_path: Path
) -> None:
    server = start_server(shared_model, "--api-key=s3cret")
    words = [*address(server, shared_model), *SMALL, "--num-prompts=1", "--ready-check-timeout-sec=0"]
    refused = run("bench", *words, cwd=tmp_path)
    opened = run("bench", *words, cwd=tmp_path, OPENAI_API_KEY="s3cret")
    assert "Error 0: Unauthorized" in refused.stdout
    assert figures(opened.stdout)["Successful requests"] == 1
    assert "s3cret" not in opened.stdout + opened.stderr
    assert requests.get(f"{server.url}/health", timeout=10).status_code == 200
