"""The figures of a run, reckoned from its outcomes as `vllm bench serve` reckons them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rehearsal.serving.bench.streaming import Outcome

MILLISECONDS = 1000.0


@dataclass(frozen=True)
class Distribution:
    """Figures of one latency, in milliseconds.

    Args:
        percentiles: (percentile, value), in the order asked for.
    """

    mean: float
    median: float
    std: float
    percentiles: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Measurement:
    """The figures of a run.

    Args:
        duration: seconds from the first request to the last answer.
        output_lengths: tokens of each answer, 0 for a failed one.
        peak_output: chunks that arrived in the busiest second.
        peak_concurrent: requests that were active in the fullest second.
        good: requests that met every goal of --goodput.
        latencies: by name: ttft, tpot, itl, e2el, and those that include the client's queue.
    """

    duration: float
    completed: int
    failed: int
    total_input: int
    output_lengths: list[int]
    peak_output: float
    peak_concurrent: int
    good: int
    latencies: Mapping[str, Distribution]

    @property
    def total_output(self) -> int:
        """Tokens of all answers."""
        return sum(self.output_lengths)


def measure(
    outcomes: Sequence[Outcome],
    duration: float,
    count_tokens: Callable[[str], int],
    percentiles: Sequence[float],
    goals: Mapping[str, float],
) -> Measurement:
    """Reckon the figures.

    Args:
        duration: seconds.
        count_tokens: for answers of which the server did not tell the length: a stream that was cut.
        goals: milliseconds by ttft, tpot, e2el.
    """
    lengths = [_length(outcome, count_tokens) for outcome in outcomes]
    good = [(outcome, length) for outcome, length in zip(outcomes, lengths, strict=True) if outcome.success]
    succeeded = [outcome for outcome, _ in good]
    per_token = [_per_token(outcome, length) for outcome, length in good]
    seconds = {
        "ttft": [outcome.time_to_first_token for outcome in succeeded],
        "tpot": [value for value, (_, length) in zip(per_token, good, strict=True) if length > 1],
        "itl": [value for outcome in succeeded for value in outcome.inter_token_latencies],
        "e2el": [outcome.latency for outcome in succeeded],
        "client_queue_time": [outcome.queue_time for outcome in succeeded],
        "e2el_including_client_queue": [outcome.latency + outcome.queue_time for outcome in succeeded],
    }
    peak_output, peak_concurrent = _peaks(succeeded)
    return Measurement(
        duration=duration,
        completed=len(succeeded),
        failed=len(outcomes) - len(succeeded),
        total_input=sum(outcome.prompt_tokens for outcome in succeeded),
        output_lengths=lengths,
        peak_output=peak_output,
        peak_concurrent=peak_concurrent,
        good=_count_good({**seconds, "tpot": per_token}, goals, len(succeeded)),
        latencies={name: distribution(values, percentiles) for name, values in seconds.items()},
    )


def distribution(seconds: Sequence[float], percentiles: Sequence[float]) -> Distribution:
    """Describe latencies; none at all is described by zeros.

    Args:
        seconds: the latencies.
        percentiles: 0 to 100, interpolated linearly.
    """
    ordered = sorted(seconds) or [0.0]
    mean = statistics.fmean(ordered)
    return Distribution(
        mean=mean * MILLISECONDS,
        median=_percentile(ordered, 50) * MILLISECONDS,
        std=math.sqrt(statistics.fmean((value - mean) ** 2 for value in ordered)) * MILLISECONDS,
        percentiles=tuple((which, _percentile(ordered, which) * MILLISECONDS) for which in percentiles),
    )


def _percentile(ordered: Sequence[float], which: float) -> float:
    position = (len(ordered) - 1) * which / 100
    low = math.floor(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


def _length(outcome: Outcome, count_tokens: Callable[[str], int]) -> int:
    if not outcome.success:
        return 0
    return outcome.output_tokens or count_tokens(outcome.text)


def _per_token(outcome: Outcome, length: int) -> float:
    return (outcome.latency - outcome.time_to_first_token) / (length - 1) if length > 1 else 0.0


def _count_good(seconds: Mapping[str, Sequence[float]], goals: Mapping[str, float], completed: int) -> int:
    return sum(
        all(seconds[name][index] * MILLISECONDS <= limit for name, limit in goals.items())
        for index in range(completed if goals else 0)
    )


def _peaks(succeeded: Sequence[Outcome]) -> tuple[float, int]:
    """Chunks in the busiest second, and requests in the fullest one: whatever was active for a part of it."""
    if not succeeded:
        return 0.0, 0
    begin = min(outcome.start_time for outcome in succeeded)
    end = max(outcome.start_time + outcome.latency for outcome in succeeded)
    chunks = [0] * (math.ceil(end - begin) + 1)
    active = [0] * len(chunks)
    for outcome in succeeded:
        at = outcome.start_time - begin + outcome.time_to_first_token
        chunks[int(at)] += 1
        for gap in outcome.inter_token_latencies:
            at += gap
            chunks[min(int(at), len(chunks) - 1)] += 1
        first = int(outcome.start_time - begin)
        last = math.ceil(outcome.start_time + outcome.latency - begin)
        for second in range(first, max(last, first + 1)):
            active[second] += 1
    return float(max(chunks)), max(active)
