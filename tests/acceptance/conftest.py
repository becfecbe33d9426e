"""The command line as an operator uses it, each test file with a cloud of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

ROOT = Path(__file__).parents[2]
WRITES = {"POST", "PUT", "PATCH", "DELETE"}


@dataclass(frozen=True)
class Ended:
    """A line that has ended."""

    code: int
    out: str
    error: str

    @property
    def recap(self) -> dict[str, int]:
        """The counts of the last line."""
        last = self.out.strip().splitlines()[-1]
        assert last.startswith("RECAP"), self.out + self.error
        return {name: int(count) for name, count in re.findall(r"(\w+)=(\d+)", last)}

    def status(self, section: str) -> str:
        """How the step of that section ended."""
        line = next(line for line in self.out.splitlines() if line.split(" ")[0] == section)
        found = re.search(r"(would change|unknown until \S+|ok|changed|skipped|failed) +[\dm.]+ ?s", line)
        assert found, line
        return found[1]


@dataclass(frozen=True)
class Operator:
    """Somebody at a shell in the repository.

    Args:
        home: RUNBOOK_HOME.
        environ: more environment variables.
        root: the repository.
    """

    home: Path
    environ: dict[str, str]
    root: Path = ROOT

    def start(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        """Type a line and do not wait for it."""
        return subprocess.Popen(
            [sys.executable, "-m", "invoke", *words],
            cwd=self.root,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def inv(self, *words: str, timeout: float = 300) -> Ended:
        """Type a line and wait for its end."""
        with self.start(*words) as process:
            out, error = process.communicate(timeout=timeout)
        return Ended(process.returncode, out, error)

    def exports(self) -> dict[str, str]:
        """What `inv rehearsal.env` exports."""
        return {line["name"]: line["value"] for line in self.json_lines("rehearsal.env", "--json")}

    def json_lines(self, *words: str) -> list[dict[str, Any]]:
        """Type a line whose output is JSON lines."""
        ended = self.inv(*words)
        assert ended.code == 0, ended.error
        return [json.loads(line) for line in ended.out.splitlines()]

    def requests(self) -> list[dict[str, Any]]:
        """What the stand-in was asked since the list was cleared."""
        return self.json_lines("rehearsal.requests", "--json")

    def writes(self) -> list[str]:
        """The requests that were meant to change something."""
        return [
            f"{request['method']} {request['path']}"
            for request in self.requests()
            if request["method"] in WRITES and "dryRun=All" not in request["path"]
        ]

    def forget_requests(self) -> None:
        """Clear the stand-in's list of requests."""
        assert self.inv("rehearsal.requests", "--clear").code == 0

    def google(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the stand-in's Google APIs directly, as somebody else would."""
        endpoints = json.loads((self.home / ".rehearsal" / "endpoints.json").read_text())
        token = Path(endpoints["token_file"]).read_text().strip()
        answer = requests.request(
            method,
            f"{endpoints['google']}{path}",
            json=body,
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )
        assert answer.ok, answer.text
        return answer.json() if answer.text else None

    def environment(self) -> dict[str, str]:
        """What a line that is typed has around it: nothing of what the tests themselves were told."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("RUNBOOK_", "CLOUDSDK"))
        }
        return kept | {"RUNBOOK_HOME": str(self.home)} | self.environ


def new_operator(home: Path, environ: dict[str, str] | None = None) -> Iterator[Operator]:
    """Sit somebody down at an empty home; the stand-in is stopped at the end."""
    operator = Operator(home, environ or {})
    yield operator
    operator.inv("rehearsal.down")


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    """An operator with a cloud of their own, still empty."""
    yield from new_operator(tmp_path)


@pytest.fixture(scope="module")
def converged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """An operator whose `inv setup deploy` has been run; tests leave it converged."""
    for operator in new_operator(tmp_path_factory.mktemp("home")):
        ended = operator.inv("setup", "deploy")
        assert ended.code == 0, ended.out + ended.error
        yield operator


def sections(playbooks: Sequence[str]) -> list[str]:
    """List the sections of playbooks, in order."""
    texts = [(ROOT / "playbooks" / f"{name}.yml").read_text() for name in playbooks]
    return [section for text in texts for section in re.findall(r'- section: "([^"]+)"', text)]
