"""An operator with a server on a stand-in of their own, who sweeps."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.acceptance.conftest import Operator

PROMPT_TOKENS = 32
SMALL = (
    "--set=bench.dataset=random",
    f"--set=bench.input_len={PROMPT_TOKENS}",
    "--set=bench.output_len=8",
    "--set=sweep.min_prompts=4",
    "--set=sweep.waves=2",
)


@dataclass(frozen=True)
class Sweeper(Operator):
    """An operator who sweeps."""

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
    found = Sweeper(tmp_path_factory.mktemp("home"), {})
    try:
        ended = found.inv("setup", "deploy")
        assert ended.code == 0, ended.out + ended.error
        yield found
    finally:
        found.inv("rehearsal.down")
