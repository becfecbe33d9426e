"""A start of vLLM 0.32.0, as its log told it: a CPU build, lines cut at 160 characters, paths shortened."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from runbook.steps.kube.startup import milestone

LOG = Path(__file__).with_name("captures") / "vllm-0.32.0-on-a-cpu.log"


def test_the_log_of_a_real_server_is_read_from_its_first_words_to_its_last():
    said = [milestone(line) for line in LOG.read_text().splitlines()]
    assert [text for text, _ in groupby(text for text in said if text)] == [
        "reading its configuration",
        "starting the engine",
        "loading weights",
        "loading weights, 0% (0/15 files)",
        "loading weights, 100% (15/15 files)",
        "weights loaded in 0.08 s",
        "compiling",
        "KV cache for 328,944 tokens",
        "engine ready after 124.28 s",
        "opening its port",
        "listening",
    ]
