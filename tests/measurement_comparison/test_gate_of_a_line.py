"""`inv bench --repeat --gate`, on a rehearsal: rounds, then a comparison that decides."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from xml.etree import ElementTree as Xml

import pytest

from tests.measurement_comparison.conftest import Bench

SMALL = ("--set", "bench.num_prompts=4", "--set", "bench.output_len=8", "--set", "bench.history=bucket")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """An operator with a server on a stand-in, who has measured three rounds."""
    found = Bench(tmp_path_factory.mktemp("home"))
    try:
        ended = found.inv("setup", "deploy", "bench", "--repeat=3", *SMALL)
        assert ended.code == 0, ended.out + ended.error
        yield found
    finally:
        found.inv("rehearsal.down")


def documents(bench):
    found = [json.loads(path.read_text()) for path in bench.home.glob(".runs/*/bench*.json")]
    return sorted(found, key=lambda document: (document["started"], document["id"]))


def test_each_round_is_a_measurement_of_its_own(served):
    found = documents(served)[:3]
    run = found[0]["run_id"]
    assert [one["id"] for one in found] == [run, f"{run}-2", f"{run}-3"]
    assert {one["run_id"] for one in found} == {run}
    assert len({one["job"] for one in found}) == 3
    assert f"{run}-3" in served.inv("history", run).out
    kept = json.loads((served.home / ".runs" / run / "run.json").read_text())
    assert [step["section"] for step in kept["steps"]][-6:] == [
        *("5.1", "5.2", "5.1#2", "5.2#2", "5.1#3", "5.2#3"),
    ]


def test_the_line_ends_with_the_comparison_and_its_exit_code(served, tmp_path):
    junit, page = tmp_path / "bench.xml", tmp_path / "bench.md"
    files = ("--junit", str(junit), "--markdown", str(page))
    ended = served.inv("bench", "--gate", "--baseline=last", "--json", *files, *SMALL)
    last = json.loads(ended.out.splitlines()[-1])
    assert last["event"] == "comparison"
    assert ended.code == last["exit_code"]
    assert len(last["baseline"]["runs"]) == 3
    assert last["rehearsal"] is True
    cases = {case.get("name") for case in Xml.parse(junit).getroot().iter("testcase")}
    told = {"comparison"} if ended.code == 2 else set()  # runs on a busy machine may vary too much
    assert cases == {"output_throughput", "median_tpot_ms"} | told
    assert page.read_text().startswith(f"### Benchmark: {last['outcome']}\n")


@pytest.mark.slow
def test_without_a_baseline_the_gate_does_not_pass(served):
    other = ("--set", "bench.num_prompts=3")
    ended = served.inv("bench", "--gate", *SMALL, *other)
    assert ended.code == 2, ended.out + ended.error
    assert ended.out.endswith("VERDICT    insufficient baseline\n")
    assert served.inv("bench", "--baseline=last", *SMALL, *other).code == 0


@pytest.mark.slow
def test_a_run_that_failed_is_not_compared(served, tmp_path):
    junit = tmp_path / "bench.xml"
    ended = served.inv("bench", "--gate", f"--junit={junit}", "--set", "bench.dataset_path=/no/such/file")
    assert ended.code == 1
    assert "VERDICT" not in ended.out
    assert Xml.parse(junit).getroot().get("errors") == "1"


@pytest.mark.slow
def test_a_file_that_cannot_be_written_does_not_pass_unseen(served):
    ended = served.inv("bench", "--baseline=last", "--junit=/dev/full", *SMALL)
    assert ended.code == 2, ended.out + ended.error
    assert "VERDICT" in ended.out
    assert "error: cannot be written: no space left on device" in ended.error


def test_a_check_compares_nothing(served):
    ended = served.inv("bench", "--repeat=2", "--gate", "--check", *SMALL)
    assert ended.code == 2
    assert "5.1#2" in ended.out
    assert "VERDICT" not in ended.out


def test_measurements_in_the_bucket_are_compared_from_anywhere(served, tmp_path):
    run = documents(served)[0]["run_id"]
    kept = served.home / ".runs" / run / "bench.json"
    aside = shutil.move(kept, tmp_path / "aside.json")
    try:
        here = served.inv("compare", run, run, "--json")
        assert here.record["candidate"]["runs"] == [f"{run}-2", f"{run}-3"]
        everywhere = served.inv("compare", run, run, "--json", "--set", "bench.history=bucket")
        assert everywhere.record["candidate"]["runs"] == [run, f"{run}-2", f"{run}-3"]
    finally:
        shutil.move(aside, kept)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--repeat=none"], "--repeat none is no whole number from 1 to 50"),
        (["--repeat=0"], "--repeat 0 is no whole number"),
        (["--baseline=1999"], "no benchmark is called '1999'"),
        (["--junit=bench.xml"], "--junit is about a comparison, and there is none"),
        (["--gate", "--junit=/no/such/folder/bench.xml"], "no such folder"),
        (["--gate", "--junit=/proc/sys/kernel/bench.xml"], "cannot be written: permission denied"),
        (["--gate", "--allow=colour"], "a fingerprint has no such key"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_measured(bench, words, told):
    ended = bench.inv("bench", *words)
    assert ended.code == 1
    assert told in ended.error
    assert not (bench.home / ".rehearsal").exists()
