"""An operator with a server on a stand-in of their own, who sweeps."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PROMPT_TOKENS = 32
SMALL = (
    "--set=bench.dataset=random",
    f"--set=bench.input_len={PROMPT_TOKENS}",
    "--set=bench.output_len=8",
    "--set=sweep.min_prompts=4",
    "--set=sweep.waves=2",
)


@dataclass(frozen=True)
class Ended:
    """A line that has ended."""

    code: int
    out: str
    error: str


@dataclass(frozen=True)
class Sweeper:
    """An operator.

    Args:
        home: RUNBOOK_HOME.
    """

    home: Path

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Type a line."""
        return subprocess.Popen(
            [sys.executable, "-m", "invoke", *words],
            cwd=ROOT,
            env=os.environ | {"RUNBOOK_HOME": str(self.home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def inv(self, *words: str) -> Ended:
        """Type a line and wait for its end."""
        with self.begin(*words) as line:
            out, error = line.communicate(timeout=570)
        assert "Traceback" not in out + error
        return Ended(line.returncode, out, error)

    def sweeps(self) -> list[dict[str, Any]]:
        """Read what was kept of all sweeps, the oldest first."""
        return [json.loads(path.read_text()) for path in sorted(self.home.glob(".runs/*/sweep.json"))]

    def documents(self) -> list[dict[str, Any]]:
        """Read the documents of all benchmarks, the oldest run's first."""
        return [json.loads(path.read_text()) for path in sorted(self.home.glob(".runs/*/bench*.json"))]


def until(true: Any, seconds: float = 120) -> None:
    """Wait until something is so."""
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit
        time.sleep(0.05)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sweeper]:
    """An operator whose server answers."""
    found = Sweeper(tmp_path_factory.mktemp("home"))
    try:
        ended = found.inv("setup", "deploy")
        assert ended.code == 0, ended.out + ended.error
        yield found
    finally:
        found.inv("rehearsal.down")
