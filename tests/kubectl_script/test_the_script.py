"""kubectl, typed line by line: the stand-in answers as script.yaml says the real cluster does."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.kube_control.kube_stand_in import TOKEN, StandIn, facts

pytestmark = [pytest.mark.clients, pytest.mark.slow]

HERE = Path(__file__).parent
LEAST = 60


@dataclass(frozen=True)
class Line:
    """One line of the script.

    Args:
        run: what is typed.
        why: where it stands that the real one answers so.
        exit: the exit code.
        prints: patterns, each found in what is printed.
    """

    run: str
    why: str
    exit: int = 0
    stdin: str = ""
    prints: list[str] = field(default_factory=list)


SCRIPT = [Line(**entry) for entry in YAML(typ="safe").load(HERE / "script.yaml")]


def kubeconfig(stand_in: StandIn) -> dict[str, Any]:
    """A kubeconfig of the stand-in's cluster."""
    assert stand_in.access is not None
    server = {
        "server": f"https://{stand_in.access.endpoint}",
        "certificate-authority": str(stand_in.home / "ca.pem"),
    }
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "here"}}],
        "clusters": [{"name": "here", "cluster": server}],
        "users": [{"name": "here", "user": {"token": TOKEN}}],
    }


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[subprocess.CompletedProcess[str]]]:
    """Type the whole script; give how each line ended."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not on this machine: the script cannot be typed")
    folder = tmp_path_factory.mktemp("script")
    manifests = shutil.copytree(HERE / "manifests", folder / "manifests")
    stand_in = StandIn(folder / "home")
    stand_in.create(facts())
    (folder / "kubeconfig").write_text(json.dumps(kubeconfig(stand_in)))
    environ = os.environ | {"KUBECONFIG": str(folder / "kubeconfig"), "HOME": str(folder)}
    try:
        yield [typed(line, manifests, environ) for line in SCRIPT]
    finally:
        stand_in.stop()


def typed(line: Line, folder: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line.run],
        env=environ,
        cwd=folder,
        input=line.stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("number", range(len(SCRIPT)), ids=[line.run[:60] for line in SCRIPT])
def test_a_line_is_answered_as_by_the_real_cluster(
    answers: list[subprocess.CompletedProcess[str]], number: int
) -> None:
    line, ended = SCRIPT[number], answers[number]
    told = f"$ {line.run}\n{ended.stdout}"
    assert ended.returncode == line.exit, told
    missing = [pattern for pattern in line.prints if not re.search(pattern, ended.stdout, re.MULTILINE)]
    assert missing == [], told


def test_each_line_says_why_and_shows_something() -> None:
    assert len(SCRIPT) >= LEAST
    assert [line.run for line in SCRIPT if not line.why or not line.run.strip()] == []
