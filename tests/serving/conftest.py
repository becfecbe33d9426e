"""Model folders and running servers for the tests."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving.programs import Server, StartServer, free_port, start, wait_until_up, write_model


@pytest.fixture(scope="session")
def shared_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "tiny-gpt-oss")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "tiny-gpt-oss")


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Start servers on a free port; they are gone after the test."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(model: Path, *arguments: str, **extra: str) -> Server:
        port, log = free_port(), tmp_path / f"server-{len(started)}.log"
        words = ["--host=127.0.0.1", f"--port={port}", f"--model={model}", *arguments]
        process = start("server", *words, log=log, **extra)
        started.append(process)
        url = f"http://127.0.0.1:{port}"
        wait_until_up(url, process, log)
        return Server(url, log, process)

    yield begin
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def server(shared_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for the tests that only ask."""
    port, log = free_port(), tmp_path_factory.mktemp("server") / "log"
    words = [f"--port={port}", "--host=127.0.0.1", f"--model={shared_model}", "--max-model-len=9216"]
    process = start("server", *words, log=log)
    url = f"http://127.0.0.1:{port}"
    wait_until_up(url, process, log)
    yield Server(url, log, process)
    process.terminate()
    process.wait(timeout=20)
