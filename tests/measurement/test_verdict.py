"""A run is judged by what is known of it, and what is not known is said."""

from __future__ import annotations

import json

import pytest

from runbook.measurement.asked import Asked
from runbook.measurement.document import Verdict
from runbook.measurement.reading import read_result
from runbook.measurement.server import Counters, Look
from runbook.measurement.verdict import UNCHECKED, Witness, judge
from tests.measurement.captures_of_vllm import block_of, capture, carried, saved_without_details

GUIDE = capture("bench-0.13-sonnet-guide.stdout")
STARTED = next(line for line in GUIDE.split("\n") if line.startswith("Namespace("))
FULL = "100%|██████████| 4/4 [00:37<00:00,  9.36s/it]"
BEGUN = " 25%|██▌       | 1/4 [00:37<01:52, 37.45s/it]"
CRASH = "Traceback (most recent call last):\nOSError: gone"
SAVED = saved_without_details("bench-0.32-random.json") | {"total_input_tokens": 5120}
SAVED |= {"total_token_throughput": (5120 + 1280) / SAVED["duration"]}
ASKED = Asked(prompts=20, input_len=256, output_len=64)
BEFORE = Look({"vllm-tpu-1": 0}, Counters())
AFTER = Look({"vllm-tpu-1": 0}, Counters(1280, 20, 20 * 0.48, 20))


def generated(tokens: float) -> Look:
    """What the server has counted after the run."""
    return Look({"vllm-tpu-1": 0}, Counters(tokens, 20, 20 * 0.48, 20))


def log(**changed: float) -> str:
    found = SAVED | changed
    for rate, amount in (
        ("output_throughput", found["total_output_tokens"]),
        ("total_token_throughput", found["total_input_tokens"] + found["total_output_tokens"]),
        ("request_throughput", found["completed"]),
    ):
        found[rate] = amount / found["duration"]
    return block_of(found) + carried(found)


@pytest.mark.parametrize(
    ("changed", "witness", "name"),
    [
        ({}, Witness(before=BEFORE, after=AFTER), "ok"),
        ({"completed": 19, "failed": 1, "total_output_tokens": 1216}, Witness(), "failed_requests"),
        ({"completed": 0, "failed": 20, "total_output_tokens": 0}, Witness(), "failed_requests"),
        ({"total_output_tokens": 1007}, Witness(), "truncated"),
        ({"total_output_tokens": 1240}, Witness(), "clamped"),
        ({"total_input_tokens": 5127, "total_output_tokens": 1273}, Witness(), "clamped"),
        ({"mean_ttft_ms": 9000.0}, Witness(before=BEFORE, after=AFTER), "client_saturated"),
        ({}, Witness(interruption="job/x was deleted"), "interrupted"),
        ({}, Witness(before=BEFORE, after=Look({"vllm-tpu-1": 1})), "interrupted"),
        ({}, Witness(before=AFTER, after=BEFORE), "interrupted"),
        ({}, Witness(before=BEFORE, after=generated(5 * 1280)), "interrupted"),
        ({}, Witness(job_failed="failed (BackoffLimitExceeded)"), "no_result"),
        ({"total_output_tokens": 1290}, Witness(), "no_result"),
    ],
)
def test_each_verdict_has_its_evidence(changed: dict[str, float], witness: Witness, name: str) -> None:
    verdict = judge(read_result(log(**changed)), ASKED, witness)
    assert verdict.name == name, verdict
    assert verdict.ok == (name == "ok")
    assert [finding.name for finding in verdict.findings if finding.name != UNCHECKED][:1] == (
        [] if name == "ok" else [name]
    )


def test_a_run_of_which_everything_is_known_has_nothing_unchecked() -> None:
    assert judge(read_result(log()), ASKED, Witness(before=BEFORE, after=AFTER)).findings == ()


@pytest.mark.parametrize(
    ("tokens", "ahead", "name"),
    [
        (1280 + 64, 0, "ok"),  # somebody's single question
        (1280 + 64 + 1, 0, "interrupted"),
        (1280 + 64 * 3, 3, "ok"),  # the ready check and two warm-ups
        (1280 + 64 * 5, 3, "interrupted"),
    ],
)
def test_tokens_that_the_client_did_not_ask_for_are_another_loads(tokens: int, ahead: int, name: str) -> None:
    verdict = judge(read_result(log()), ASKED, Witness(before=BEFORE, after=generated(tokens), ahead=ahead))
    assert verdict.name == name, verdict
    if name != "ok":
        (finding,) = verdict.findings
        others = tokens - 1280 - ahead * 64
        assert f"generated {tokens} tokens, {others} more than this client asked for" in finding.evidence
        assert "nothing else asks the server" in finding.remedy


def test_two_hundredths_of_a_long_runs_tokens_change_no_comparison() -> None:
    asked, tokens = Asked(prompts=20, output_len=6400), 20 * 6400
    text = log(total_output_tokens=tokens, mean_tpot_ms=0.05)
    for others, name in ((0.02, "ok"), (0.11, "interrupted")):
        after = generated(tokens * (1 + others))
        assert judge(read_result(text), asked, Witness(before=BEFORE, after=after)).name == name


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"completed": 10, "failed": 10, "total_output_tokens": 640}, "failed_requests"),
        ({"total_output_tokens": 640}, "truncated"),
        ({"total_output_tokens": 1240}, "clamped"),
    ],
)
def test_the_tokens_of_answers_that_broke_off_are_no_other_load(changed: dict[str, float], name: str) -> None:
    verdict = judge(read_result(log(**changed)), ASKED, Witness(before=BEFORE, after=generated(1280)))
    assert [finding.name for finding in verdict.findings] == [name]


def test_without_the_servers_counters_another_load_is_not_looked_for() -> None:
    unseen = Witness(before=BEFORE, after=Look({"vllm-tpu-1": 0}))
    verdict = judge(read_result(log()), ASKED, unseen)
    (finding,) = verdict.findings
    assert (verdict.name, finding.name) == ("ok", UNCHECKED)
    assert "whether another load ran meanwhile: the server's own counters are not known" in finding.evidence


def test_a_server_that_counted_less_than_the_client_was_not_the_one_that_was_measured() -> None:
    verdict = judge(read_result(log()), ASKED, Witness(before=BEFORE, after=generated(0)))
    (finding,) = verdict.findings
    assert (verdict.name, finding.name) == ("ok", UNCHECKED)
    assert "generated 0 tokens, and the client had 1280" in finding.evidence


def test_a_bare_block_says_what_could_not_be_checked() -> None:
    block = GUIDE.partition("gnuplot to plot the metrics\n")[2]
    verdict = judge(read_result(block), Asked())
    told = " ".join(finding.evidence for finding in verdict.findings)
    assert (verdict.name, {finding.name for finding in verdict.findings}) == ("ok", {UNCHECKED})
    assert "whether answers have their full length" in told
    assert "19 of 19 figures stand in one place only" in told
    assert "whether the client kept up" in told
    assert "it read the tokens in bunches" in told


def test_the_guides_own_lengths_are_clamped_by_a_newer_server() -> None:
    verdict = judge(read_result(capture("bench-0.32-random-guide.stdout")), Asked())
    assert verdict.name == "clamped"
    assert "65534 of 65536 tokens" in verdict.findings[0].evidence


def test_a_log_that_ends_before_its_last_request_was_interrupted() -> None:
    text = capture("bench-0.32-chunks-tr.txt")
    verdict = judge(read_result(text[: text.index("98%|")]), Asked())
    assert verdict.name == "interrupted"
    assert "26 of 40 requests" in verdict.findings[0].evidence


@pytest.mark.parametrize(
    ("last", "name", "told"),
    [
        (f"{STARTED}\n{BEGUN}\n{CRASH}", "interrupted", "1 of 4"),
        (f"{carried(SAVED)}{STARTED}\n{BEGUN}\n{CRASH}", "interrupted", "1 of 4"),
        (f"{STARTED}\n{CRASH}", "no_result", "OSError: gone"),
        (f"{STARTED}\n{CRASH}\n{json.dumps(SAVED)}", "no_result", "OSError: gone"),
        (f"{FULL}\n{BEGUN}", "interrupted", "1 of 4"),
    ],
)
def test_the_result_of_an_earlier_run_is_not_the_last_ones(last: str, name: str, told: str) -> None:
    reading = read_result(f"{GUIDE}\n{last}\n")
    verdict = judge(reading, Asked())
    assert (reading.figures, verdict.name) == ({}, name)
    assert told in verdict.findings[0].evidence
    assert "the result before it is an earlier run's" in verdict.findings[0].evidence


def test_a_bar_that_comes_late_begins_no_other_run() -> None:
    assert judge(read_result(f"{GUIDE}\n{BEGUN}\n"), Asked()).ok


def judged(before: Look, after: Look) -> Verdict:
    return judge(read_result(log()), ASKED, Witness(before=before, after=after))


def test_a_pod_that_is_not_ready_at_the_end_was_not_started_anew() -> None:
    """Its probe may come too late under the load that is measured."""
    verdict = judged(BEFORE, Look({"vllm-tpu-1": 0}, unready=("vllm-tpu-1",)))
    assert verdict.ok, verdict
    told = " ".join(finding.evidence for finding in verdict.findings)
    assert "vllm-tpu-1 was not ready at the end" in told
    assert "anew" not in told


def test_a_pod_that_was_started_anew_and_is_not_ready_yet() -> None:
    verdict = judged(BEFORE, Look({"vllm-tpu-1": 1}, unready=("vllm-tpu-1",)))
    assert verdict.name == "interrupted"
    assert "restarts vllm-tpu-1: 0, then vllm-tpu-1: 1" in verdict.findings[0].evidence


def test_a_pod_that_never_takes_requests_is_no_part_of_what_is_measured() -> None:
    before = Look({"a": 0, "b": 3}, unready=("b",))
    assert judged(before, Look({"a": 0, "b": 7}, unready=("b",))).ok
    assert judged(before, Look({"a": 0})).ok


@pytest.mark.parametrize("unready", [("a",), ()])
def test_where_other_pods_serve_at_the_end_the_run_was_interrupted(unready: tuple[str, ...]) -> None:
    pods = {"a": 0, "b": 0}
    verdict = judged(Look(pods, unready=("b",)), Look(pods, unready=unready))
    assert verdict.name == "interrupted"
    assert "other Pods of the server were ready: a, then " in verdict.findings[0].evidence


def test_what_was_seen_before_is_read_as_it_was_written_by_earlier_versions_too() -> None:
    seen = Look({"a": 0, "b": 0}, unready=("b",))
    assert Look.of_record(seen.record()) == seen
    assert Look.of_record({"restarts": {"a": 0}, "counters": None}) == Look({"a": 0})
