"""`inv compare`: what counts as a regression, what may be compared, and which runs a word stands for."""

from __future__ import annotations

import pytest

from tests.measurement_comparison.conftest import QUIET, job_of

NOISY = (1.0, 0.84, 1.16, 0.9, 1.1, 1.02, 0.97)
OLD, NEW = "20261120-100000-aaaa", "20261121-100000-bbbb"
IMAGE = {
    "server_image": "vllm/vllm-tpu:new",
    "server_digest": "sha256:0ff",
    "client_image": "vllm/vllm-tpu:new",
}


def test_a_slower_image_is_a_regression_in_what_decides(bench):
    bench.measured(OLD)
    bench.measured(NEW, speed=0.95, **IMAGE)
    ended = bench.inv("compare", OLD, NEW)
    assert ended.code == 1, ended.out + ended.error
    lines = ended.out.splitlines()
    assert lines[-1] == "VERDICT    regression"
    assert "compared   server_image: vllm/vllm-tpu:old -> vllm/vllm-tpu:new" in lines
    rows = {line.split()[0]: line.split() for line in lines}
    assert rows["output_throughput"][-3:] == ["-5.00%", "2.00%", "regression"]
    assert rows["median_tpot_ms"][-3:] == ["+5.26%", "2.00%", "regression"]
    assert rows["output_tokens_per_s_per_chip"][-3:] == ["1500.00", "1425.00", "-5.00%"]
    assert rows["p99_ttft_ms"][-1] == "+0.00%"
    assert "the client changed with the server's image" in ended.out


@pytest.mark.parametrize(
    ("speed", "outcome"), [(1.0, "no difference"), (0.99, "no difference"), (1.05, "improvement")]
)
def test_what_is_no_regression_exits_with_0(bench, speed, outcome):
    bench.measured(OLD)
    bench.measured(NEW, speed=speed)
    ended = bench.inv("compare", OLD, NEW, "--json")
    assert (ended.code, ended.record["outcome"], ended.record["exit_code"]) == (0, outcome, 0)


def test_two_runs_of_a_baseline_are_not_enough_however_slow_the_candidate(bench):
    bench.measured(OLD, [1.0, 1.0])
    bench.measured(NEW, speed=0.5)
    ended = bench.inv("compare", OLD, NEW)
    assert ended.code == 2
    assert "2 runs of the baseline count, 3 are needed: nothing is judged" in ended.out
    assert "-50.00%" in ended.out
    assert ended.out.endswith("VERDICT    insufficient baseline\n")


def test_runs_that_are_no_measurement_do_not_count(bench):
    bench.measured(OLD, QUIET[:2])
    bench.measured("20261120-110000-cccc", [0.2], verdict="truncated")
    bench.measured(NEW)
    assert bench.inv("compare", OLD, NEW).code == 2
    ended = bench.inv("compare", OLD, "20261120-11")
    assert ended.code == 2
    assert "no run of it is a measurement (20261120-110000-cccc: truncated)" in ended.error


def test_earlier_runs_of_the_same_configuration_are_its_history(bench):
    bench.measured("20261118-100000-aaaa", QUIET[:2])
    bench.measured(OLD, QUIET[:1])
    bench.measured(NEW, **IMAGE)
    found = bench.inv("compare", OLD, NEW, "--json").record
    assert found["outcome"] == "no difference"
    assert found["baseline"]["runs"] == ["20261118-100000-aaaa", "20261118-100000-aaaa-2", OLD]


def test_a_job_that_was_kept_twice_is_no_baseline_of_itself(bench):
    bench.measured(OLD)
    bench.measured(NEW, [0.5])
    again = "20261121-110000-cccc"
    bench.measured(again, [0.5], job=job_of(NEW))  # `inv step 5.2` keeps the newest Job again
    for baseline, candidate in ((OLD, NEW), ("last", again), ("best", "last")):
        found = bench.inv("compare", baseline, candidate, "--json")
        assert (found.code, found.record["outcome"]) == (1, "regression")
        assert found.record["baseline"]["runs"] == [OLD, f"{OLD}-2", f"{OLD}-3"]


def test_looks_at_one_job_are_one_run(bench, tmp_path):
    bench.measured(OLD, [0.5], verdict="no_result")
    looks = ["20261120-11", "20261120-12", "20261120-13"]
    for look in looks:
        bench.measured(f"{look}0000-aaaa", [0.5], job=job_of(OLD))
        bench.measured(f"{look}0000-aaaa", [0.5], job=job_of(OLD), folder=tmp_path / "looks")
    bench.measured(NEW)
    for word in (f"{looks[-1]}0000-aaaa", "best", str(tmp_path / "looks")):
        found = bench.inv("compare", word, NEW, "--json")
        assert (found.code, found.record["outcome"]) == (2, "insufficient baseline")
        assert found.record["baseline"]["runs"] == ["20261120-110000-aaaa"]
    own = bench.inv("compare", str(tmp_path / "looks"), looks[0], "--json")
    assert own.record["baseline"]["runs"] == []


def test_a_history_that_varies_widens_the_threshold_and_says_what_it_would_not_see(bench):
    bench.measured(OLD, NOISY)
    bench.measured(NEW, speed=0.95)
    ended = bench.inv("compare", OLD, NEW, "--json")
    throughput = ended.record["figures"][0]
    assert throughput["key"] == "output_throughput"
    assert throughput["threshold"] >= 3 * 1.4826 * 0.1 * 0.99
    assert throughput["judgement"] == "no difference"
    # TPOT varies by a quarter of that, and decides no more than throughput does
    assert ended.record["figures"][1]["threshold"] > 0.05
    assert "a slowdown of 5% would not be seen" in " ".join(ended.record["notes"])
    assert (ended.code, ended.record["outcome"]) == (2, "insufficient precision")


def test_a_regression_beyond_a_wide_threshold_is_one(bench):
    bench.measured(OLD, NOISY)
    bench.measured(NEW, speed=0.4)
    ended = bench.inv("compare", OLD, NEW)
    assert ended.code == 1, ended.out
    assert ended.out.endswith("VERDICT    regression\n")


def test_an_operator_may_call_a_wide_threshold_enough(bench):
    bench.measured(OLD, NOISY)
    bench.measured(NEW)
    assert bench.inv("compare", OLD, NEW).code == 2
    assert bench.inv("compare", OLD, NEW, "--set", "bench.tolerance_percent=30").code == 0


def test_one_bad_day_in_the_history_hides_no_slowdown(bench):
    bench.measured(OLD, (*QUIET, *QUIET[1:], 0.8))
    bench.measured(NEW, speed=0.95)
    assert bench.inv("compare", OLD, NEW).code == 1


def test_what_is_not_alike_is_named_and_refused(bench):
    bench.measured(OLD)
    bench.measured(NEW, speed=0.5, num_prompts=200, topology="2x2x2")
    ended = bench.inv("compare", OLD, NEW)
    assert ended.code == 2
    assert "NOT ALIKE  num_prompts: 100 -> 200" in ended.out
    assert "NOT ALIKE  topology: 2x2x1 -> 2x2x2" in ended.out
    assert ended.out.endswith("VERDICT    not alike\n")


def test_what_may_differ_is_named_by_hand(bench):
    bench.measured(OLD)
    bench.measured(NEW, speed=0.5, num_prompts=200)
    assert bench.inv("compare", OLD, NEW, "--allow", "num_prompts").code == 1
    ended = bench.inv("compare", OLD, NEW, "--allow", "num_promts")
    assert ended.code == 2
    assert "did you mean num_prompts?" in ended.error


def test_flags_are_compared_one_by_one(bench):
    bench.measured(OLD)
    bench.measured(NEW, server_flags='{"max-model-len":9216,"max-num-seqs":128}')
    assert "compared   server_flags: max-num-seqs: 256 -> 128" in bench.inv("compare", OLD, NEW).out


def test_a_tag_that_moved_is_another_image(bench):
    moved = {"server_digest": "sha256:0ff", "client_version": "0.13.0"}
    bench.measured(OLD, client_version="0.12.0")
    bench.measured(NEW, speed=0.9, **moved)
    ended = bench.inv("compare", OLD, NEW)
    assert ended.code == 1, ended.out + ended.error
    assert "compared   server_digest: sha256:01d -> sha256:0ff" in ended.out
    assert "the client changed with the server's image" in ended.out
    unknown = "20261122-100000-cccc"
    bench.measured(unknown, **moved | {"server_digest": None})
    assert "NOT ALIKE  client_version: 0.12.0 -> 0.13.0" in bench.inv("compare", OLD, unknown).out


def test_the_environment_is_compared_one_by_one_and_is_no_repeat(bench):
    bench.measured(OLD, speed=2, server_env='{"MODEL_IMPL_TYPE":"vllm"}')
    bench.measured(NEW, server_env='{"MODEL_IMPL_TYPE":"flax"}')
    ended = bench.inv("compare", OLD, NEW)
    assert "compared   server_env: MODEL_IMPL_TYPE: vllm -> flax" in ended.out
    bench.measured("20261121-100000-cccc", server_env='{"MODEL_IMPL_TYPE":"flax"}')
    last = bench.inv("compare", "last", "last", "--json").record
    assert last["baseline"]["runs"] == [NEW, f"{NEW}-2", f"{NEW}-3"]


def test_warm_up_requests_must_be_alike(bench):
    bench.measured(OLD, num_warmups=0)
    bench.measured(NEW, num_warmups=8)
    ended = bench.inv("compare", OLD, NEW)
    assert ended.code == 2
    assert "NOT ALIKE  num_warmups: 0 -> 8" in ended.out


def test_a_document_of_before_a_key_was_told_compares_and_is_a_repeat(bench):
    bench.measured(OLD)
    bench.measured("20261120-130000-eeee", server_env='{"A":"1"}', num_warmups=0)
    bench.measured("20261120-140000-ffff", server_env='{"A":"2"}', num_warmups=0, speed=0.5)
    bench.measured(NEW, server_env='{"A":"1"}', num_warmups=0)
    ended = bench.inv("compare", OLD, NEW)
    assert ended.code == 0, ended.out
    assert "server_env" not in ended.out
    best = bench.inv("compare", "best", "last", "--json").record
    assert [run[:15] for run in best["baseline"]["runs"]] == ["20261120-100000"] * 3 + ["20261120-130000"] * 3


def test_another_client_alone_is_another_instrument(bench):
    bench.measured(OLD)
    bench.measured(NEW, client_image="vllm/vllm-tpu:new")
    ended = bench.inv("compare", OLD, NEW)
    assert ended.code == 2
    assert "NOT ALIKE  client_image" in ended.out


def test_a_rehearsal_is_never_compared_with_a_measurement(bench):
    bench.measured(OLD, rehearsal=True)
    bench.measured(NEW)
    ended = bench.inv("compare", OLD, NEW, "--allow", "num_prompts,chips")
    assert ended.code == 2
    assert "NOT ALIKE  rehearsal: True -> False" in ended.out
    assert bench.inv("compare", OLD, NEW, "--allow", "rehearsal").code == 2


def test_last_and_best_look_among_what_is_alike(bench):
    bench.measured("20261118-100000-aaaa", speed=1.1, server_flags="{}")
    bench.measured(OLD)
    bench.measured("20261120-120000-dddd", speed=2, num_prompts=7)
    bench.measured("20261120-130000-eeee", QUIET[:1], speed=3, server_digest="sha256:5")
    bench.measured(NEW)
    last = bench.inv("compare", "last", "last", "--json")
    assert last.record["baseline"]["runs"] == ["20261120-130000-eeee"]
    best = bench.inv("compare", "best", "last", "--json")
    assert best.record["baseline"]["runs"][0] == "20261118-100000-aaaa"
    assert best.code == 1


def test_a_beginning_that_names_several_runs_names_none(bench):
    bench.measured(OLD)
    bench.measured(NEW)
    for words, told in (
        (("2026", "last"), f"'2026' is several runs: {OLD}, {NEW}"),
        (("last", "1999"), "no benchmark is called '1999'"),
        (("last", "best"), "best is a baseline's word only"),
    ):
        ended = bench.inv("compare", *words)
        assert ended.code == 2
        assert told in ended.error


def test_where_nothing_was_measured_yet_that_is_said(bench):
    ended = bench.inv("compare", "last", "last")
    assert ended.code == 2
    assert "no benchmark is kept yet" in ended.error


def test_one_round_can_be_named_alone(bench):
    bench.measured(OLD)
    bench.measured(NEW)
    found = bench.inv("compare", OLD, f"{NEW}-2", "--json").record
    assert found["candidate"]["runs"] == [f"{NEW}-2"]
    assert len(found["baseline"]["runs"]) == 3


def test_files_and_folders_of_files_stand_for_themselves(bench, tmp_path):
    bench.measured(OLD, folder=tmp_path / "baseline")
    bench.measured(NEW, QUIET[:1], speed=0.9, folder=tmp_path / "new")
    ended = bench.inv("compare", str(tmp_path / "baseline"), str(tmp_path / "new" / f"{NEW}.json"))
    assert ended.code == 1, ended.error
    (tmp_path / "broken.json").write_text("{}")
    ended = bench.inv("compare", str(tmp_path / "broken.json"), str(tmp_path / "baseline"))
    assert ended.code == 2
    assert "is no benchmark's document" in ended.error


def test_markdown_goes_to_stdout_or_to_a_file(bench, tmp_path):
    bench.measured(OLD)
    bench.measured(NEW, speed=0.9)
    shown = bench.inv("compare", OLD, NEW, "--markdown")
    assert shown.code == 1
    assert shown.out.startswith("### Benchmark: regression\n")
    assert "| output_throughput (tok/s) | 6000.00 | 5400.00 | -10.00% | 2.00% | regression |" in shown.out
    page = tmp_path / "page.md"
    assert bench.inv("compare", OLD, NEW, "--markdown", str(page)).out.startswith("baseline ")
    assert page.read_text() == shown.out
    assert "both want stdout" in bench.inv("compare", OLD, NEW, "--markdown", "--json").out


@pytest.mark.parametrize(("speed", "code"), [(1.0, 2), (0.9, 1)])
def test_a_page_that_cannot_be_written_is_no_pass_and_no_regression(bench, speed, code):
    bench.measured(OLD)
    bench.measured(NEW, speed=speed)
    ended = bench.inv("compare", OLD, NEW, "--markdown", "/dev/full")
    assert ended.code == code, ended.out + ended.error
    assert ended.out.splitlines()[-1].startswith("VERDICT")
    assert "error: cannot be written: no space left on device" in ended.error
    assert "/dev/full" in ended.error


@pytest.mark.parametrize("place", ["/proc/sys/kernel/page.md", "/no/such/folder/page.md"])
def test_a_page_is_refused_before_the_comparison_where_nobody_can_write(bench, place):
    bench.measured(OLD)
    bench.measured(NEW, speed=0.9)
    ended = bench.inv("compare", OLD, NEW, "--markdown", place)
    assert (ended.code, ended.out) == (2, "")
    assert "cannot be written" in ended.error
    assert place in ended.error
