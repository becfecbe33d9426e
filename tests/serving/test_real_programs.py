"""What the rehearsal hands to the real vLLM, shown by an interpreter that says how it was started.

The real one itself: tests/real_vllm.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from rehearsal.serving.bench.datasets import SHIPPED_SONNETS
from tests.serving.programs import run
from tests.serving.test_model_server_starts import write_container

TELLING = f"""#!{sys.executable}
import json, os, sys
print(json.dumps({{"words": sys.argv[1:], "environment": dict(os.environ)}}))
"""
MODEL = "--model=/model-vol-mount/tiny"


@dataclass(frozen=True)
class Started:
    """How the real program was started, and what was said of it before."""

    words: list[str]
    environment: dict[str, str]
    said: list[str]


@pytest.fixture
def start(tmp_path):
    """Start a program in a container whose interpreters tell how they are started."""
    interpreter = tmp_path / "python"
    interpreter.write_text(TELLING)
    interpreter.chmod(0o700)
    container = write_container(
        tmp_path / "container.json",
        ports={"8000": 41234},
        hosts={"vllm-service:8000": "127.0.0.1:41234"},
        mounts={"/model-vol-mount": str(tmp_path / "volume")},
        real={"server": str(interpreter), "bench": str(interpreter)},
    )

    def begin(program: str, *words: str, **extra: str) -> Started:
        ended = run(program, *words, cwd=tmp_path, REHEARSAL_CONTAINER=container, **extra)
        assert ended.returncode == 0, ended.stderr
        *said, last = ended.stdout.splitlines()
        return Started(**json.loads(last), said=said)

    return begin


def test_the_server_gets_the_local_names_of_what_the_manifest_names(start, tmp_path):
    started = start("server", "--host=0.0.0.0", "--port", "8000", "--max-model-len=1024", MODEL)
    assert started.words == [
        "-m",
        "vllm.entrypoints.openai.api_server",
        "--host=127.0.0.1",
        "--port=41234",
        "--max-model-len=1024",
        f"--model={tmp_path}/volume/tiny",
    ]


def test_what_only_a_tpu_can_do_is_left_out_and_said(start):
    started = start(
        "server", "--tensor-parallel-size=2", "--data-parallel-size=4", "--load-format=runai_streamer", MODEL
    )
    for flag in ("--tensor-parallel-size=1", "--data-parallel-size=1", "--load-format=auto"):
        assert flag in started.words
    assert "no figure here is a TPU's" in started.said[-1]
    assert "REHEARSAL: --data-parallel-size=4 -> --data-parallel-size=1" in started.said


def test_the_servers_model_may_stand_first_as_with_vllm_serve(start, tmp_path):
    assert f"--model={tmp_path}/volume/tiny" in start("server", "/model-vol-mount/tiny", "--port=8000").words


def test_the_servers_sockets_have_short_paths(start):
    assert len(start("server", MODEL).environment["VLLM_RPC_BASE_PATH"]) < 107 - 37


def test_the_runbooks_own_code_is_not_in_the_real_programs_way(start):
    assert "PYTHONPATH" not in start("server", MODEL).environment


def test_the_client_asks_the_service_and_reads_the_tokenizer_of_the_volume(start, tmp_path):
    started = start("bench", "--host=vllm-service", "--port=8000", MODEL)
    assert set(started.words[2:]) == {
        "--host=127.0.0.1",
        "--port=41234",
        MODEL,
        f"--tokenizer={tmp_path}/volume/tiny",
    }


def test_the_client_finds_a_tokenizer_of_the_hub_by_its_name(start):
    started = start("bench", MODEL, "--tokenizer=rehearsal/gpt-oss-tiny", HF_ENDPOINT="http://127.0.0.1:1")
    assert "--tokenizer=rehearsal/gpt-oss-tiny" in started.words
    assert started.environment["HF_ENDPOINT"] == "http://127.0.0.1:1"
    assert "HF_HUB_OFFLINE" not in started.environment


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("/workspace/vllm/benchmarks/sonnet.txt", str(SHIPPED_SONNETS)),
        ("/model-vol-mount/poem.txt", "{volume}/poem.txt"),
        ("/no/such/poem.txt", "/no/such/poem.txt"),
    ],
)
def test_the_poem_of_vllms_image_is_played_by_lines_of_our_own(start, tmp_path: Path, named, found):
    started = start("bench", MODEL, "--dataset-name=sonnet", f"--dataset-path={named}")
    assert f"--dataset-path={found.format(volume=tmp_path / 'volume')}" in started.words
