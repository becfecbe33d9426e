"""What a waiting line says of a start-up, on the log of a real vLLM 0.32.0 (CPU build, a tiny gpt-oss)."""

from __future__ import annotations

from pathlib import Path

from runbook.steps.kube.startup import milestone

LOG = Path(__file__).with_name("captures") / "server-start-0.32.log"


def test_a_real_start_is_told_stage_by_stage() -> None:
    told: list[str] = []
    for line in LOG.read_text().splitlines():
        said = milestone(line)
        if said and said not in told[-1:]:
            told.append(said)
    assert told == [
        "reading its configuration",
        "starting the engine",
        "loading weights",
        "loading weights, 0% (0/1 files)",
        "loading weights, 100% (1/1 files)",
        "weights loaded in 0.01 s",
        "compiling",
        "KV cache for 1,677,721 tokens",
        "engine ready after 27.91 s",
        "opening its port",
        "listening",
    ]
