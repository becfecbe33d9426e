"""`inv parse`: figures with units, the verdict, and an exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.measurement.captures_of_vllm import CAPTURES, capture

ROOT = Path(__file__).parents[2]


def parse(home: Path, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "invoke", "parse", *words],
        cwd=ROOT,
        env=os.environ | {"RUNBOOK_HOME": str(home)},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_log_is_shown_with_units_and_what_nothing_confirms(tmp_path: Path) -> None:
    ended = parse(tmp_path, str(CAPTURES / "bench-0.32-all-flags.stdout"))
    assert ended.returncode == 0, ended.stderr
    assert "output_throughput                            569.32 tok/s ?" in ended.stdout
    assert "6 lines that are not understood:" in ended.stdout
    assert "verdict      ok" in ended.stdout


def test_a_log_from_stdin_is_judged_by_the_lengths_that_are_given(tmp_path: Path) -> None:
    text = capture("bench-0.13-sonnet-guide.stdout")
    ended = parse(tmp_path, "-", "--prompts=4", "--output-len=9000", "--json", stdin=text)
    assert ended.returncode == 1
    record = json.loads(ended.stdout)
    assert record["verdict"]["name"] == "truncated"
    assert record["result"]["median_ttft_ms"] == 106.16


def test_what_cannot_be_read_is_told_in_one_line(tmp_path: Path) -> None:
    for words, told in (
        (("nothing.log",), "cannot be read: No such file or directory"),
        ((), "no file is named"),
        (("-", "--prompts=many"), "--prompts many is no whole number"),
    ):
        ended = parse(tmp_path, *words)
        assert ended.returncode == 1
        assert told in ended.stderr
        assert "Traceback" not in ended.stderr + ended.stdout
