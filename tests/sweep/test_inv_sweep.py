"""`inv sweep` on a rehearsal: what it measures, keeps, says, and goes on with."""

from __future__ import annotations

import json
import signal

import pytest

from tests.sweep.conftest import SMALL, Sweeper, until

KEPT = ("--slo", "e2el:600000")
"""An objective that the stand-in keeps on any machine."""


@pytest.mark.slow
def test_a_sweep_that_was_killed_is_gone_on_with_and_measures_nothing_twice(served):
    words = ("sweep", "--concurrency", "1,2", *KEPT, *SMALL)
    with served.start(*words) as killed:
        until(lambda: any(sweep["points"] for sweep in served.sweeps()))
        killed.send_signal(signal.SIGKILL)
    before = served.sweeps()[-1]
    assert [point["concurrency"] for point in before["points"]] == [1]
    assert not before["finished"]

    ended = served.inv(*words, "--json")
    assert ended.code == 0, ended.out + ended.error
    last = json.loads(ended.out.splitlines()[-1])
    assert last["event"] == "sweep"
    assert last["points"][0] == before["points"][0]
    assert [point["concurrency"] for point in last["points"]] == [1, 2]
    measured = served.documents()
    assert len(measured) == 2
    assert {point["document"] for point in last["points"]} == {document["id"] for document in measured}
    assert last["best"]["concurrency"] == 2
    assert last["best"]["fails_at"] is None
    assert last["rehearsal"] is True


@pytest.fixture(scope="module")
def swept(served):
    """What was kept of a sweep with one and with two requests at once."""
    ended = served.inv("sweep", "--concurrency", "1,2", *KEPT, *SMALL)
    assert ended.code == 0, ended.out + ended.error
    return served.sweeps()[-1]


def test_each_point_is_a_benchmark_with_its_own_load_and_the_clients_own_count(served, swept):
    documents = {document["id"]: document for document in served.documents()}
    assert [point["concurrency"] for point in swept["points"]] == [1, 2]
    for point in swept["points"]:
        document = documents[point["document"]]
        assert document["verdict"]["name"] == "ok"
        assert document["fingerprint"]["max_concurrency"] == point["concurrency"]
        assert document["fingerprint"]["num_prompts"] == point["num_prompts"] == 4
        assert document["arguments"][document["arguments"].index("--goodput") + 1] == "e2el:600000.0"
        assert point["attainment"] == 1.0
        assert 0 < point["attainment_low"] < 0.99
        assert point["output_throughput"] == document["result"]["output_throughput"]


@pytest.mark.slow
def test_the_page_of_the_run_shows_the_sweep(served, swept, tmp_path):
    assert served.inv("report", swept["run_id"], "--to", str(tmp_path / "page.html")).code == 0
    assert "2 requests at once are the most that keep the objective" in (tmp_path / "page.html").read_text()


def test_where_no_load_keeps_the_objective_the_exit_code_is_2(served):
    ended = served.inv("sweep", "--concurrency=2", "--slo=ttft:0.001", *SMALL)
    assert ended.code == 2, ended.out + ended.error
    assert ended.out.endswith("SWEEP      no load that was measured keeps the objective\n")
    assert [point["concurrency"] for point in served.sweeps()[-1]["points"]] == [2, 1]


@pytest.mark.slow
def test_a_sweep_is_gone_on_with_where_its_runs_were_used_up_and_judged_where_none_are_left(served):
    words = ("sweep", "--concurrency=2", "--slo=ttft:0.002", "--json", *SMALL)
    one = served.inv(*words, "--set=sweep.max_runs=1")
    assert one.code == 2, one.out + one.error
    kept = served.sweeps()[-1]
    file = served.home / ".runs" / kept["run_id"] / "sweep.json"
    file.write_text(json.dumps(kept | {"finished": False}))  # as one of more runs is left by a kill

    nothing_left = served.inv(*words, "--set=sweep.max_runs=1")
    assert nothing_left.code == 2, nothing_left.out + nothing_left.error
    last = json.loads(nothing_left.out.splitlines()[-1])
    assert (last["event"], last["finished"], last["points"]) == ("sweep", True, kept["points"])

    more = served.inv(*words)
    assert more.code == 2, more.out + more.error
    found = served.sweeps()[-1]
    assert [point["concurrency"] for point in found["points"]] == [2, 1]
    assert found["points"][0] == kept["points"][0]
    assert found["finished"]


def test_a_check_says_what_would_be_measured_first_and_keeps_nothing(served):
    before = served.sweeps()
    ended = served.inv("sweep", "--check", *KEPT, *SMALL, "--set=sweep.max_runs=9")
    assert ended.code == 2, ended.out + ended.error
    assert "at most 9 runs, the first with 1 at once" in ended.out
    assert served.sweeps() == before


@pytest.mark.slow
def test_a_load_that_is_no_measurement_is_no_point(served):
    no_poem = ("--set=bench.dataset=sonnet", "--set=bench.dataset_path=/no/such/file")
    ended = served.inv("sweep", "--concurrency=1", *KEPT, *SMALL, *no_poem)
    assert ended.code == 1, ended.out + ended.error
    assert "no result (no_result)" in ended.out
    assert "SWEEP" not in ended.out
    assert served.sweeps()[-1]["points"] == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--concurrency=1,8"], "a sweep needs an objective"),
        (["--slo=ttft"], "--slo ttft: ttft needs milliseconds above 0"),
        (["--slo=ttft:0"], "ttft needs milliseconds above 0"),
        (["--slo=itl:20"], "'itl' is none of ttft, tpot, e2el"),
        (["--slo=ttft:1,ttft:2"], "'ttft' is twice"),
        (["--slo=ttft:1", "--concurrency=8,8"], "--concurrency 8,8 is no list of different whole numbers"),
        (["--slo=ttft:1", "--concurrency=0,8"], "--concurrency 0,8 is no list"),
        (["--slo=ttft:1", "--concurrency=1,many"], "--concurrency 1,many is no list"),
        (["--slo=ttft:1", "--set=bench.request_rate=5"], "bench.request_rate holds them back"),
        (["--slo=ttft:1", "--set=sweep.max_runs=3"], "the series has 4 loads, and sweep.max_runs is 3"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_measured(tmp_path, words, told):
    ended = Sweeper(tmp_path, {}).inv("sweep", *words)
    assert ended.code == 1
    assert told in ended.error
    assert not (tmp_path / ".rehearsal").exists()
