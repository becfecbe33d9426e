"""Somebody who asks for the written runbook, and a shell that only writes down what it would run."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.conftest import Operator, new_operator

PROJECT_NUMBER = "102545736211"
SECRETS = {"SERVER_KEY": "the-servers-own-key", "HF_TOKEN": "hf_the_operators_token"}
PROGRAMS = ("gcloud", "kubectl", "hf", "curl", "inv", "rm", "env")
END_OF_WORD, END_OF_COMMAND = "\x1f", "\x1e"
# Both sides of a pipe write at the same time, so a command is written at once.
RECORDER = f"""#!/bin/sh
command=$(printf '%s{END_OF_WORD}' "${{0##*/}}" "$@"; printf '{END_OF_COMMAND}')
printf %s "$command" >> "$RECORD"
case "${{0##*/}} $*" in
  "gcloud projects describe "*) echo "$ANSWER_PROJECT_NUMBER" ;;
  "kubectl get jobs "*jsonpath*) printf %s "$ANSWER_JOB" ;;
esac
"""


@dataclass(frozen=True)
class WritingShell:
    """A shell whose programs do nothing but write down their argv, or give the answers that they are told.

    Args:
        folder: of the programs and of the record.
        answers: the values that only the cloud knows: PROJECT_NUMBER, JOB.
    """

    folder: Path
    answers: dict[str, str]

    def argvs(self, script: str) -> list[list[str]]:
        """Run a script; give the argv of each program that it would have run."""
        record = self.folder / "record"
        record.write_text("")
        answers = {f"ANSWER_{name}": value for name, value in self.answers.items()}
        done = subprocess.run(
            ["/bin/sh", "-eu", "-c", script],
            env={"PATH": str(self.folder), "RECORD": str(record), **answers},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stderr}"
        commands = record.read_text().split(END_OF_COMMAND)[:-1]
        return [command.split(END_OF_WORD)[:-1] for command in commands]


@pytest.fixture
def writing_shell(tmp_path: Path) -> WritingShell:
    """A shell that writes down what it would run."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in PROGRAMS:
        program = folder / name
        program.write_text(RECORDER)
        program.chmod(0o700)
    return WritingShell(folder, {"PROJECT_NUMBER": PROJECT_NUMBER, "JOB": ""})


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    """Somebody with a cloud of their own, still empty."""
    yield from new_operator(tmp_path / "home")


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Operator:
    """Somebody whom no cloud, no login and no program helps: every proxy leads nowhere."""
    nowhere = "http://127.0.0.1:9"
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), nowhere)
    empty = tmp_path_factory.mktemp("empty")
    environ = {**proxies, "NO_PROXY": "", "PATH": str(empty), "HOME": str(empty), **SECRETS}
    return Operator(empty / "home", environ)
