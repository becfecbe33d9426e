"""`inv parse`: figures with units, the verdict, and an exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from runbook.measurement.document import FINGERPRINT, Derived, Document, Finding, Verdict, write
from runbook.measurement.reading import Reading, read_result
from tests.measurement.captures_of_vllm import CAPTURES, block_of, capture, saved_without_details

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


def kept(folder: Path, reading: Reading, verdict: Verdict) -> str:
    """Keep a document of a result as `inv bench` does; give its path."""
    asked = {"num_prompts": 20, "input_len": 256, "output_len": 64, "max_concurrency": None}
    document = Document(
        id="20261123-154200-1a2b",
        run_id="20261123-154200-1a2b",
        environment="rehearsal",
        started=0.0,
        rehearsal=True,
        verdict=verdict,
        fingerprint=dict.fromkeys(FINGERPRINT) | asked,
        result=reading.figures,
        derived=Derived(),
        client=reading.client,
        job="vllm-bench-20261123-154200-1a2b",
        arguments=(),
        full_precision=reading.full_precision,
    )
    write(document, folder / "bench.json")
    return str(folder / "bench.json")


def test_a_kept_document_says_itself_what_was_asked_for(tmp_path: Path) -> None:
    reading = read_result(json.dumps(saved_without_details("bench-0.32-random.json")))
    ended = parse(tmp_path, kept(tmp_path, reading, Verdict(name="ok")))
    assert ended.returncode == 0, ended.stdout
    assert "not known: whether" not in ended.stdout
    ended = parse(tmp_path, kept(tmp_path, reading, Verdict(name="ok")), "--output-len=65")
    assert ended.returncode == 1
    assert "1280 of 1300 tokens arrived" in ended.stdout


def test_a_kept_document_that_is_no_measurement_stays_none(tmp_path: Path) -> None:
    finding = Finding(name="truncated", evidence="1280 of 2560 tokens arrived", remedy="measure again")
    reading = read_result(json.dumps(saved_without_details("bench-0.32-random.json")))
    for given in (reading, Reading()):
        file = kept(tmp_path, given, Verdict(name="truncated", findings=(finding,)))
        ended = parse(tmp_path, file, "--json")
        assert ended.returncode == 1
        assert json.loads(ended.stdout)["verdict"] == {
            "name": "truncated",
            "findings": [finding.model_dump()],
        }
        assert json.loads(ended.stdout)["result"] == given.figures


def test_a_kept_document_of_a_block_is_as_exact_as_the_block(tmp_path: Path) -> None:
    saved = saved_without_details("bench-0.32-random.json")
    ended = parse(tmp_path, kept(tmp_path, read_result(block_of(saved)), Verdict(name="ok")), "--json")
    assert ended.returncode == 0, ended.stdout
    assert json.loads(ended.stdout)["full_precision"] is False


def test_a_document_that_is_damaged_is_no_result(tmp_path: Path) -> None:
    ended = parse(tmp_path, "-", stdin='{"schema": 2, "result": {}}')
    assert ended.returncode == 1
    assert "the document is damaged" in ended.stdout


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
