"""Figures of one result must agree with one another: a digit that was changed on the way shows here."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Final

from runbook.measurement.figures import Figures, is_count

ROUNDED: Final = 0.005
"""A block shows two decimals."""

_PRECISE: Final = 1e-9
_PERCENTILE: Final = re.compile(r"p(?P<which>[0-9.]+)_(?P<metric>.+)_ms")
_RATES: Final = {
    "request_throughput": ("completed",),
    "output_throughput": ("total_output_tokens",),
    "total_token_throughput": ("total_input_tokens", "total_output_tokens"),
}


def contradictions(figures: Figures, *, rounded: bool) -> list[str]:
    """Say which figures cannot be true together.

    Args:
        rounded: whether they come from a block, with two decimals.
    """
    return [*_of_throughputs(figures, rounded=rounded), *_of_latencies(figures), *_of_signs(figures)]


def disagreements(block: Figures, saved: Figures) -> list[str]:
    """Say where the block is not the rounding of the saved JSON; nothing is said of what one has alone.

    A figure of the block that the saved JSON should have, and has not, is a disagreement too.
    """
    told = []
    for key, shown in block.items():
        exact = saved.get(key)
        if exact is None:
            told.append(f"{key} is {shown} in the block, and not in the saved JSON")
        elif abs(shown - exact) > (0.5 if is_count(key) else ROUNDED * 1.001 + abs(exact) * _PRECISE):
            told.append(f"{key} is {shown} in the block and {exact} in the saved JSON")
    return told


def _of_throughputs(figures: Figures, *, rounded: bool) -> Iterator[str]:
    """Reckon the run's duration from each throughput; all must have a time in common."""
    low, high = _around(figures.get("duration", math.nan), rounded=rounded)
    for rate, counts in _RATES.items():
        if math.isnan(low) or not {rate, *counts} <= figures.keys():
            continue
        amount = sum(figures[count] for count in counts)
        slowest, fastest = _around(figures[rate], rounded=rounded)
        if fastest <= 0 and amount:
            yield f"{rate} is 0, and {' + '.join(counts)} is {amount}"
            continue
        if fastest <= 0:
            continue
        low = max(low, amount / fastest)
        high = min(high, amount / slowest if slowest > 0 else math.inf)
        if low > high:
            yield f"{rate} {figures[rate]} is not {' + '.join(counts)} {amount} over {figures['duration']} s"
            return


def _of_latencies(figures: Figures) -> Iterator[str]:
    ranked: dict[str, list[tuple[float, float]]] = {}
    for key, value in figures.items():
        found = _PERCENTILE.fullmatch(key)
        if found:
            ranked.setdefault(found["metric"], []).append((float(found["which"]), value))
        elif key.startswith("median_"):
            ranked.setdefault(key.removeprefix("median_").removesuffix("_ms"), []).append((50.0, value))
    for metric, values in ranked.items():
        ordered = [value for _, value in sorted(values)]
        if ordered != sorted(ordered):
            yield f"the percentiles of {metric} do not ascend"


def _of_signs(figures: Figures) -> Iterator[str]:
    for key, value in figures.items():
        if value < 0:
            yield f"{key} is less than nothing: {value}"


def _around(value: float, *, rounded: bool) -> tuple[float, float]:
    slack = ROUNDED * 1.001 if rounded else abs(value) * _PRECISE
    return max(value - slack, 0.0), value + slack


def asked_and_answered(saved: Mapping[str, object]) -> list[str]:
    """Say where the saved JSON's requests do not add up."""
    counts = [saved.get(key) for key in ("completed", "failed", "num_prompts")]
    completed, failed, prompts = (item if isinstance(item, int) else None for item in counts)
    if completed is None or failed is None or prompts is None or completed + failed == prompts:
        return []
    return [f"{completed} answered and {failed} failed requests are not the {prompts} that were asked for"]
