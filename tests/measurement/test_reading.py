"""A result is read to the figures that it shows, whatever terminal, runtime or release made of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from runbook.measurement.asked import Asked
from runbook.measurement.reading import read_result
from runbook.measurement.verdict import judge
from tests.measurement.captures_of_vllm import CAPTURES, block_of, capture, carried, saved_without_details

GUIDE = "bench-0.13-sonnet-guide.stdout"
WITH_BLOCK = [
    path.name for path in sorted(CAPTURES.iterdir()) if "Serving Benchmark Result" in path.read_text()
]
SAVED = ["bench-0.13-sonnet.json", "bench-0.32-random.json", "bench-0.32-some-fail.json"]
SHOWN = re.compile(r"^([A-Z][^:\n]*): +([0-9.]+) *$", re.MULTILINE)
PROGRESS = "\r 50%|█████     | 2/4 [00:18<00:18,  9.36s/it]"


@pytest.mark.parametrize("name", WITH_BLOCK)
def test_each_figure_of_a_real_block_is_read_as_it_is_shown(name: str) -> None:
    text = capture(name)
    reading = read_result(text)
    shown = [
        float(value) for label, value in SHOWN.findall(text.partition(" Result =")[2]) if "robe" not in label
    ]
    assert list(reading.figures.values()) == shown
    assert reading.contradictions == ()
    assert (reading.blocks, reading.full_precision) == (1, False)


@pytest.mark.parametrize("name", SAVED)
def test_each_figure_of_a_real_saved_json_is_read_and_found_again_in_its_single_requests(name: str) -> None:
    reading, saved = read_result(capture(name)), json.loads(capture(name))
    assert all(saved[key] == value for key, value in reading.figures.items())
    assert {key for key in saved if key.endswith("_ms")} <= reading.figures.keys()
    assert reading.contradictions == ()
    assert {"mean_ttft_ms", "p99_itl_ms", "total_output_tokens"} <= reading.confirmed


def test_text_and_json_of_one_run_agree() -> None:
    text, saved = (read_result(capture(f"bench-0.32-some-fail.{kind}")) for kind in ("stdout", "json"))
    assert text.figures == pytest.approx({key: saved.figures[key] for key in text.figures}, abs=0.005001)


def test_what_a_newer_client_adds_is_kept_in_order() -> None:
    reading = read_result(capture("bench-0.32-all-flags.stdout"))
    assert len(reading.unknown) == 6
    assert reading.unknown[1].startswith("Probe requests completed:")
    assert reading.figures["p99.9_e2el_including_client_queue_ms"] == 297.45
    assert (reading.figures["request_rate"], reading.figures["request_goodput"]) == (20.0, 16.46)


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "".join(f"2026-11-23T11:12:49.123456789Z {line}\n" for line in text.split("\n")),
        lambda text: "".join(f"2026-11-23T11:12:49.12+01:00 stdout F {line}\n" for line in text.split("\n")),
        lambda text: "".join(f"[pod/vllm-bench-x/vllm-bench] {line}\n" for line in text.split("\n")),
        lambda text: "".join(
            json.dumps({"log": f"{line}\n", "stream": "stdout"}) + "\n" for line in text.split("\n")
        ),
        lambda text: text.replace("Successful", "\x1b[1mSuccessful\x1b[0m").replace("P99", "\x1b[32mP99"),
        lambda text: text.replace("\nSucc", f"\n{PROGRESS}Succ").replace("\nFailed", f"{PROGRESS}\nFailed"),
        lambda text: text.replace("Total token throughput", "Total Token throughput"),
        lambda text: text.replace("874.92 ", "111.11 ") + text,
    ],
    ids=[
        "\\r\\n", "kubectl --timestamps", "containerd", "kubectl --prefix", "docker", "colours", "progress",
        "older spelling", "an earlier result",
    ],
)  # fmt: skip
def test_what_is_put_around_the_lines_does_no_harm(wrapped: Callable[[str], str]) -> None:
    plain, reading = read_result(capture(GUIDE)), read_result(wrapped(capture(GUIDE)))
    assert reading.figures == plain.figures
    assert reading.contradictions == ()


def test_the_bars_of_other_tasks_are_not_taken_for_requests() -> None:
    fetching = "Fetching 14 files:  57%|█████▋    | 8/14 [00:00<00:00, 27.69it/s]\n"
    asking = "\r  4%|▍         | 1/24 [00:06<02:28,  6.46s/it]\n"
    assert read_result(fetching).progress is None
    progress = read_result(asking + fetching).progress
    assert progress is not None
    assert (progress.done, progress.total, progress.times) == (1, 24, "00:06<02:28,  6.46s/it")


def test_containerds_partial_records_are_joined_though_the_other_stream_comes_between() -> None:
    stamp = "2026-11-23T11:12:49Z"
    lines = [f"{stamp} stdout F {line}" for line in capture(GUIDE).rstrip("\n").split("\n")]
    place = next(number for number, line in enumerate(lines) if "Median TTFT" in line)
    head, tail = lines[place][:40], lines[place][40:]
    lines[place : place + 1] = [
        head.replace(" F ", " P "), f"{stamp} stderr F tip: install", f"{stamp} stdout F {tail}",
    ]  # fmt: skip
    reading = read_result("\n".join(lines))
    assert reading.figures == read_result(capture(GUIDE)).figures


def test_the_carried_json_is_exact_and_its_checksum_confirms_it() -> None:
    saved = saved_without_details("bench-0.32-random.json")
    reading = read_result(block_of(saved) + carried(saved))
    assert reading.figures["output_throughput"] == saved["output_throughput"]
    assert reading.confirmed == reading.figures.keys()
    assert (reading.client, reading.contradictions) == (saved, ())


@pytest.mark.parametrize("piece", ["\nbench.json:1:", "\nbench.json:2:"])
def test_a_carried_piece_that_comes_late_or_twice_is_mended_and_one_that_is_lost_is_noticed(
    piece: str,
) -> None:
    saved = saved_without_details("bench-0.32-random.json")
    whole = block_of(saved) + carried(saved)
    line = piece + whole.partition(piece)[2].partition("\n")[0]
    late = whole.replace(line, "").replace("\n----- end", f"{line}{line}{PROGRESS}\n----- end")
    assert read_result(late).client == saved
    lost = read_result(whole.replace(line, ""))
    assert lost.client is None
    assert "the carried JSON is damaged" in lost.contradictions[0]


def test_the_plain_json_between_the_marks_is_read_though_progress_comes_between() -> None:
    saved = saved_without_details("bench-0.32-random.json")
    between = f"{PROGRESS}\n{json.dumps(saved)}\n"
    reading = read_result(
        f"{block_of(saved)}----- bench.json -----\n{between}----- end of bench.json -----\n"
    )
    assert reading.client == saved
    assert "median_ttft_ms" in reading.confirmed
    assert "std_ttft_ms" not in reading.confirmed


def test_the_last_line_of_append_result_counts() -> None:
    first, last = (saved_without_details(name) for name in SAVED[:2])
    reading = read_result(f"{json.dumps(first)}\n{json.dumps(last)}")
    assert (reading.figures["duration"], reading.blocks) == (last["duration"], 2)


@pytest.mark.parametrize("between", ["", '{"level":"info","msg":"done"}\n'])
def test_a_log_may_begin_with_the_records_of_a_logger(between: str) -> None:
    plain = capture(GUIDE)
    reading = read_result(f'{{"level":"info","msg":"starting"}}\n{plain}{between}')
    assert (reading.figures, reading.contradictions) == (read_result(plain).figures, ())


@pytest.mark.parametrize("name", ["ttfts", "itls", "input_lens", "output_lens"])
@pytest.mark.parametrize("value", [[], [1], None, [None] * 20, [10**400] * 20])
def test_single_requests_that_cannot_be_read_are_said(name: str, value: object) -> None:
    saved = json.loads(capture("bench-0.32-random.json")) | {name: value}
    verdict = judge(read_result(json.dumps(saved)), Asked())
    if not (name == "input_lens" and value is None):  # older clients do not save these
        assert verdict.name == "no_result"
        assert "single requests" in verdict.findings[0].evidence


def test_a_figure_that_is_too_long_for_a_number_is_none() -> None:
    saved = saved_without_details("bench-0.32-random.json")
    assert "duration" not in read_result(json.dumps(saved | {"duration": 10**400})).figures


@pytest.mark.parametrize(
    "text", ["", "{", "{}", "[1]", "\0\xff", capture(GUIDE)[:4900], '{"completed": "x"}']
)
def test_what_holds_no_result_is_no_measurement(text: str) -> None:
    assert judge(read_result(text), Asked()).name in {"no_result", "interrupted"}
