"""The result is read from whatever a container's log makes of it, and judged."""

from __future__ import annotations

import json

import pytest

from runbook.steps.bench.figures import BEGIN, END, complaints, read_figures

BLOCK = """\
============ Serving Benchmark Result ============
Successful requests:                     4         
Failed requests:                         0         
Benchmark duration (s):                  37.45     
Total input tokens:                      4044      
Total generated tokens:                  32768     
Request throughput (req/s):              0.11      
Output token throughput (tok/s):         874.92    
Peak output token throughput (tok/s):    5328.00   
Peak concurrent requests:                4.00      
Total Token throughput (tok/s):          982.89    
---------------Time to First Token----------------
Mean TTFT (ms):                          93.59     
Median TTFT (ms):                        106.16    
P99 TTFT (ms):                           109.37    
P99.9 TTFT (ms):                         110.02    
-----Time per Output Token (excl. 1st token)------
Mean TPOT (ms):                          4.56      
==================================================
"""  # noqa: W291 - as the client pads it
PROGRESS = "\r  0%|          | 0/4 [00:00<?, ?it/s]\r100%|██████████| 4/4 [00:37<00:00,  9.36s/it]\n"


def test_the_block_is_read_by_its_labels() -> None:
    figures = read_figures(BLOCK)
    assert figures is not None
    assert (figures.completed, figures.failed, figures.output_tokens) == (4, 0, 32768)
    assert figures.values["total_token_throughput"] == 982.89
    assert (figures.values["p99_ttft_ms"], figures.values["p99.9_ttft_ms"]) == (109.37, 110.02)
    assert not figures.precise


@pytest.mark.parametrize(
    "log",
    [
        PROGRESS + BLOCK,
        BLOCK.replace("\n", "\r\n"),
        "\x1b[32m" + BLOCK.replace("Successful", "\x1b[1mSuccessful\x1b[0m"),
        BLOCK.replace("     4  ", "     1  ") + BLOCK,
    ],
    ids=["progress before", "carriage returns", "colours", "an earlier block"],
)
def test_what_is_around_the_block_does_no_harm(log: str) -> None:
    figures = read_figures(log)
    assert figures is not None
    assert figures.completed == 4
    assert figures.block.splitlines()[1] == "Successful requests:                     4"


def test_the_saved_json_gives_full_precision_though_progress_comes_between() -> None:
    saved = json.dumps({"completed": 4, "output_throughput": 874.9177, "median_itl_ms": 1.25e-06})
    log = f"{BLOCK}{BEGIN}\n{PROGRESS}{saved}\n{END}\n"
    figures = read_figures(log)
    assert figures is not None
    assert figures.output_throughput == 874.9177
    assert figures.values["median_itl_ms"] == 1.25e-06
    assert figures.values["total_output_tokens"] == 32768
    assert figures.precise


@pytest.mark.parametrize("log", ["", PROGRESS, BLOCK[:300], "ValueError: no chat template\n"])
def test_a_log_without_a_whole_block_has_no_result(log: str) -> None:
    assert read_figures(log) is None


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, []),
        (
            {"completed": 3, "failed": 1, "total_output_tokens": 24576},
            ["1 requests failed", "3 of 4 requests"],
        ),
        ({"completed": 0, "failed": 4, "total_output_tokens": 0}, ["4 requests failed", "0 of 4 requests"]),
        ({"total_output_tokens": 24760}, ["cut short: 24760 of 32768 tokens"]),
    ],
    ids=["sound", "one failed", "all failed, exit code 0", "the server stopped in mid-run"],
)
def test_a_result_is_judged(changed: dict[str, int], found: list[str]) -> None:
    figures = read_figures(f"{BLOCK}{BEGIN}\n{json.dumps({'completed': 4, **changed})}\n{END}\n")
    assert figures is not None
    told = complaints(figures, prompts=4, output_len=8192)
    assert len(told) == len(found)
    assert all(part in text for part, text in zip(found, told, strict=True))
