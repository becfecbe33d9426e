"""A sweep finds the knee that the stand-in's parameters imply."""

from __future__ import annotations

import math

import pytest

from tests.sweep.conftest import PROMPT_TOKENS, Sweeper

SLOTS = 12
STEP_S = 0.04
OUTPUT_TOKENS = 50
PREFILL_TOKENS_PER_S = 40_000
TTFT_S = 1.0


def implied_knee() -> int:
    """Derive the highest concurrency at which no request waits longer than the objective allows.

    The stand-in's engine runs SLOTS requests at once, first come, first served, one token each a step. The
    benchmark keeps N requests in flight, all of one length, so that they run in waves of

        T = t1 + (output tokens - 1) * step,  t1 = step + SLOTS * prompt tokens / prefill rate

    (t1: the step that works off a wave's prompts and gives the first tokens). Of N requests, N - SLOTS wait;
    the last of them lets floor((N - 1) / SLOTS) waves go first, so its time to first token is

        TTFT(N) = floor((N - 1) / SLOTS) * T + t1

    and TTFT(N) <= limit up to N = SLOTS * (1 + floor((limit - t1) / T)).
    """
    first_token = STEP_S + SLOTS * PROMPT_TOKENS / PREFILL_TOKENS_PER_S
    wave = first_token + (OUTPUT_TOKENS - 1) * STEP_S
    return SLOTS * (1 + math.floor((TTFT_S - first_token) / wave))


@pytest.mark.slow
def test_the_knee_is_found_within_ten_percent_in_at_most_twelve_runs(tmp_path):
    operator = Sweeper(tmp_path, {})
    settings = {
        "server.flags.data-parallel-size": 1,
        "server.flags.max-num-seqs": SLOTS,
        "rehearsal.step_ms": STEP_S * 1000,
        "rehearsal.prefill_tokens_per_s": PREFILL_TOKENS_PER_S,
        "bench.dataset": "random",
        "bench.input_len": PROMPT_TOKENS,
        "bench.output_len": OUTPUT_TOKENS,
        "sweep.waves": 3,
        "sweep.min_prompts": 6,
    }
    told = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    try:
        objective = f"ttft:{TTFT_S * 1000:g},tpot:{3 * STEP_S * 1000:g}"
        ended = operator.inv("setup", "deploy", "sweep", "--concurrency=2,8,32", f"--slo={objective}", *told)
        assert ended.code == 0, ended.out + ended.error
    finally:
        operator.inv("rehearsal.down")
    sweep = operator.sweeps()[-1]
    assert len(sweep["points"]) <= 12
    assert sweep["best"]["concurrency"] == pytest.approx(implied_knee(), rel=0.1), ended.out
    shares = [point["attainment"] for point in sorted(sweep["points"], key=lambda one: one["concurrency"])]
    assert shares[-1] < 0.5 < shares[0]
