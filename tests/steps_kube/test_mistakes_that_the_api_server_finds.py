"""A field that the API server does not take is told with the manifest's line, before anything is made."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import pytest

from tests.acceptance.conftest import ROOT, Operator

MANIFEST = "manifests/vllm-tpu.yaml.j2"


@pytest.fixture(scope="module")
def author(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """Somebody with a copy of the project to write in, and a cloud in which nothing is deployed."""
    copy = tmp_path_factory.mktemp("copy")
    for folder in ("runbook", "rehearsal", "manifests", "playbooks", "vars"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("tasks.py", "invoke.yaml"):
        shutil.copy(ROOT / name, copy / name)
    operator = Operator(copy / "home", {"PYTHONPATH": str(copy)}, root=copy)
    ended = operator.inv("setup")
    assert ended.code == 0, ended.out + ended.error
    yield operator
    operator.inv("rehearsal.down")


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (
            "  progressDeadlineSeconds:",
            "  progresDeadlineSeconds:",
            r"deployment/vllm-tpu: \.spec\.progresDeadlineSeconds: field not declared in schema",
        ),
        (
            "        - containerPort: {{ server.port }}\n          protocol: TCP",
            "        - containerPort: {{ server.port }}\n          protocl: TCP",
            r"deployment/vllm-tpu: .*ports.*protocl: field not declared in schema",
        ),
        (
            "  progressDeadlineSeconds: {{ server.ready_timeout_s }}",
            "  minReadySeconds: soon",
            r"deployment/vllm-tpu: .*minReadySeconds",
        ),
    ],
    ids=["a field", "a field in a list", "a value"],
)
@pytest.mark.parametrize("words", [["--check"], []], ids=["check", "run"])
def test_it_is_told_with_file_field_and_line(
    author: Operator, before: str, after: str, told: str, words: list[str]
) -> None:
    path = author.root / MANIFEST
    sound = path.read_text()
    assert before in sound
    wrong = sound.replace(before, after, 1)
    path.write_text(wrong)
    try:
        ended = author.inv("deploy", *words)
    finally:
        path.write_text(sound)
    assert ended.code == 1
    assert re.search(told, ended.out), ended.out
    line = 1 + wrong[: wrong.index(after) + len(after) - 1].count("\n")
    assert f"{MANIFEST}:{line}" in ended.out
