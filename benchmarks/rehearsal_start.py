"""How long the stand-in takes to come up, and how much memory it then holds.

python benchmarks/rehearsal_start.py
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
ROUNDS = 5


def rehearsal(command: str, home: Path) -> float:
    """Run `python -m rehearsal COMMAND` and return its seconds."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "rehearsal", command, "--home", str(home)], cwd=ROOT, check=True)
    return time.perf_counter() - started


def status(home: Path) -> dict[str, Any]:
    """Ask the stand-in how it is."""
    endpoints = json.loads((home / "endpoints.json").read_text())
    token = Path(endpoints["token_file"]).read_text()
    request = urllib.request.Request(f"{endpoints['google']}/_rehearsal/status")
    request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def main() -> None:
    """Start it some times over, and print the figures as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / ".rehearsal"
        starts, again, memory = [], [], []
        for _ in range(ROUNDS):
            starts.append(rehearsal("up", home))
            again.append(rehearsal("up", home))
            memory.append(status(home)["rss_mb"])
            rehearsal("down", home)
    figures = {
        "start_s": round(statistics.median(starts), 3),
        "slowest_start_s": round(max(starts), 3),
        "up_when_it_runs_s": round(statistics.median(again), 3),
        "rss_mb": max(memory),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
