"""Start and stop: the command line, the log, and every way in which a model cannot be served."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from tests.serving.programs import (
    StartServer,
    free_port,
    run,
    start,
    wait_until_up,
    write_shard,
)

GUIDE_FLAGS = (
    "--tensor-parallel-size=2", "--data-parallel-size=4", "--max-model-len=9216",
    "--max-num-batched-tokens=16384", "--max-num-seqs=2048", "--no-enable-prefix-caching",
    "--load-format=runai_streamer", "--kv-cache-dtype=fp8", "--async-scheduling",
    "--gpu-memory-utilization=0.86",
)  # fmt: skip


def write_container(path: Path, **facts: object) -> str:
    described = {"ports": {}, "hosts": {}, "mounts": {}, "time_scale": 0.0, "parent": os.getpid()}
    path.write_text(json.dumps({**described, **facts}))
    return str(path)


def test_the_guide_s_container_serves_under_its_own_names(model: Path, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    container = write_container(
        tmp_path / "container.json", ports={"8000": port}, mounts={"/model-vol-mount": str(model.parent)}
    )
    served = f"/model-vol-mount/{model.name}"
    words = ["--host=0.0.0.0", "--port=8000", *GUIDE_FLAGS, f"--model={served}"]
    process = start("server", *words, log=log, REHEARSAL_CONTAINER=container)
    wait_until_up(f"http://127.0.0.1:{port}", process, log)
    [card] = requests.get(f"http://127.0.0.1:{port}/v1/models", timeout=10).json()["data"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0
    assert (card["id"], card["max_model_len"]) == (served, 9216)
    text = log.read_text()
    milestones = [
        "the rehearsal's stand-in of vLLM",
        "non-default args: {'model': '/model-vol-mount/tiny-gpt-oss', 'host': '0.0.0.0',",
        "Resolved architecture: GptOssForCausalLM",
        "Initializing a V1 LLM engine",
        "[RunAI Streamer]",
        "Total time to load model weights from storage to TPU: 25.35 seconds.",
        "Compilation finished in 339.76 [secs].",
        "Starting vLLM API server 0 on http://0.0.0.0:8000",
        "(APIServer pid=1) INFO:     Started server process [1]",
        "(APIServer pid=1) INFO:     Waiting for application startup.",
        "(APIServer pid=1) INFO:     Application startup complete.",
        "Shutting down FastAPI HTTP server.",
        "(APIServer pid=1) INFO:     Application shutdown complete.",
    ]
    places = [text.find(milestone) for milestone in milestones]
    assert -1 not in places, milestones[places.index(-1)]
    assert places == sorted(places)


def test_it_listens_only_when_it_is_ready(model: Path, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    container = write_container(tmp_path / "container.json", ports={"8000": port}, time_scale=0.01)
    process = start("server", f"--model={model}", log=log, REHEARSAL_CONTAINER=container)
    while "Starting to load model" not in log.read_text():
        time.sleep(0.02)
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{port}/health", timeout=5)
    process.terminate()
    assert process.wait(timeout=20) == 143
    assert "Application startup complete." not in log.read_text()


def test_a_flag_that_vllm_does_not_have_is_refused(tmp_path: Path) -> None:
    refused = run("server", "--max-model-length=9216", cwd=tmp_path)
    assert refused.returncode == 2
    assert refused.stderr.endswith("api_server.py: error: unrecognized arguments: --max-model-length=9216\n")


def test_a_port_that_is_no_number_is_refused(tmp_path: Path) -> None:
    refused = run("server", "--port=eight", cwd=tmp_path)
    assert refused.returncode == 2
    assert "argument --port: invalid int value: 'eight'" in refused.stderr


def test_underscores_and_k_are_understood_as_vllm_does(start_server: StartServer, model: Path) -> None:
    server = start_server(model, "--max_model_len=9k")
    assert requests.get(f"{server.url}/v1/models", timeout=10).json()["data"][0]["max_model_len"] == 9000


def test_a_model_folder_that_is_not_there_ends_the_server(tmp_path: Path) -> None:
    ended = run("server", "--model=/model-vol-mount/nope", cwd=tmp_path)
    assert ended.returncode == 1
    assert ended.stdout.splitlines()[-1].endswith(
        "huggingface_hub.errors.HFValidationError: Repo id must be in the form 'repo_name' or"
        " 'namespace/repo_name': '/model-vol-mount/nope'. Use `repo_type` argument if needed."
    )


def test_a_folder_without_configuration_ends_the_server(model: Path, tmp_path: Path) -> None:
    (model / "config.json").unlink()
    ended = run("server", f"--model={model}", cwd=tmp_path)
    assert ended.returncode == 1
    assert f"ValueError: Invalid repository ID or local directory specified: '{model}'." in ended.stdout


def test_a_folder_without_tokenizer_ends_the_server(model: Path, tmp_path: Path) -> None:
    (model / "tokenizer.json").unlink()
    ended = run("server", f"--model={model}", cwd=tmp_path)
    assert ended.returncode == 1
    assert f"OSError: Can't load tokenizer for '{model}'." in ended.stdout


def test_a_context_longer_than_the_model_s_ends_the_server(model: Path, tmp_path: Path) -> None:
    ended = run("server", f"--model={model}", "--max-model-len=200000", cwd=tmp_path)
    assert ended.returncode == 1
    assert "User-specified max_model_len (200000) is greater than the derived max_model_len" in ended.stdout
    assert "(max_position_embeddings=131072 or model_max_length=None" in ended.stdout


def test_heads_that_do_not_divide_end_the_server(model: Path, tmp_path: Path) -> None:
    ended = run("server", f"--model={model}", "--tensor-parallel-size=3", cwd=tmp_path)
    assert ended.returncode == 1
    assert "attention heads (64) must be divisible by tensor parallel size (3)" in ended.stdout


def test_a_missing_shard_ends_the_engine(model: Path, tmp_path: Path) -> None:
    (model / "model-00001-of-00002.safetensors").unlink()
    ended = run("server", f"--model={model}", cwd=tmp_path)
    assert ended.returncode == 1
    assert re.search(r"\(EngineCore_DP0 pid=\d+\) ERROR .* EngineCore failed to start\.", ended.stdout)
    assert "Following weights were not initialized from checkpoint: {'lm_head.weight'}" in ended.stdout
    assert ended.stdout.splitlines()[-1].endswith(
        "RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}"
    )


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "HeaderTooSmall"),
        (b"\xff" * 64, "HeaderTooLarge"),
        (b"\x08\0\0\0\0\0\0\0not json", "InvalidHeaderDeserialization"),
    ],
)
def test_a_shard_that_is_no_safetensors_file_ends_the_engine(
    model: Path, tmp_path: Path, content: bytes, cause: str
) -> None:
    (model / "model-00001-of-00002.safetensors").write_bytes(content)
    ended = run("server", f"--model={model}", cwd=tmp_path)
    assert ended.returncode == 1
    assert f"safetensors_rust.SafetensorError: Error while deserializing header: {cause}" in ended.stdout


def test_a_shard_that_was_cut_short_ends_the_engine(model: Path, tmp_path: Path) -> None:
    shard = model / "model-00000-of-00002.safetensors"
    shard.write_bytes(shard.read_bytes()[:-1])
    ended = run("server", f"--model={model}", cwd=tmp_path)
    assert ended.returncode == 1
    assert "Error while deserializing header: MetadataIncompleteBuffer" in ended.stdout


def test_a_shard_with_other_tensors_ends_the_engine(model: Path, tmp_path: Path) -> None:
    write_shard(model / "model-00001-of-00002.safetensors", ["other.weight"])
    ended = run("server", f"--model={model}", cwd=tmp_path)
    assert ended.returncode == 1
    assert "Following weights were not initialized from checkpoint: {'lm_head.weight'}" in ended.stdout


def test_the_server_ends_with_the_stand_in_that_started_it(model: Path, tmp_path: Path) -> None:
    stand_in = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    port, log = free_port(), tmp_path / "log"
    container = write_container(tmp_path / "container.json", ports={"8000": port}, parent=stand_in.pid)
    process = start("server", f"--model={model}", log=log, REHEARSAL_CONTAINER=container)
    wait_until_up(f"http://127.0.0.1:{port}", process, log)
    stand_in.kill()
    stand_in.communicate()
    assert process.wait(timeout=20) == 0


def test_vllm_serve_is_the_same_server(model: Path, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    words = ["serve", str(model), "--host=127.0.0.1", f"--port={port}"]
    process = start("vllm", *words, log=log)
    wait_until_up(f"http://127.0.0.1:{port}", process, log)
    process.terminate()
    assert process.wait(timeout=20) == 0
    refused = run("vllm", "serve", str(model), "--x", cwd=tmp_path)
    assert (refused.returncode, refused.stderr.splitlines()[-1]) == (
        2,
        "vllm: error: unrecognized arguments: --x",
    )


def test_vllm_names_the_release_it_plays(tmp_path: Path) -> None:
    assert run("vllm", "--version", cwd=tmp_path).stdout == "0.13.0\n"
    assert run("vllm", "--version", cwd=tmp_path, REHEARSAL_VLLM_VERSION="0.32.0").stdout == "0.32.0\n"


def test_the_hub_s_checkpoint_is_served(start_server: StartServer, tmp_path: Path) -> None:
    from rehearsal.hub.checkpoint.layout import build

    (tmp_path / "hub").mkdir()
    server = start_server(build(tmp_path / "hub"), *GUIDE_FLAGS)
    body = {"prompt": "San Francisco is a", "max_tokens": 7, "temperature": 0}
    answer = requests.post(f"{server.url}/v1/completions", json=body, timeout=20).json()
    assert answer["usage"]["completion_tokens"] == 7
    assert len(answer["choices"][0]["text"].split()) >= 5
