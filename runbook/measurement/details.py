"""The single requests in a JSON saved with --save-detailed: the figures are reckoned from them once more."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from runbook.measurement.figures import Figures

_SAME: Final = 1e-6
_MILLISECONDS: Final = 1000.0
_UNREADABLE: Final = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What lists that are too short, or hold something else than numbers, lead to."""


@dataclass(frozen=True)
class Recount:
    """What the single requests say.

    Args:
        agreed: figures that come out again.
        different: those that do not, in words.
    """

    agreed: frozenset[str] = frozenset()
    different: tuple[str, ...] = field(default=())


def recount(saved: Mapping[str, Any], figures: Figures) -> Recount:
    """Reckon the figures from the single requests, where these were saved."""
    try:
        again = _again(saved, figures)
    except _UNREADABLE as error:
        return Recount(different=(f"the single requests cannot be read: {error}",))
    different = [key for key, value in again.items() if not _same(figures[key], value)]
    told = tuple(f"{key} is {figures[key]}, and {again[key]} by the single requests" for key in different)
    return Recount(frozenset(again) - frozenset(different), told)


def output_lengths(saved: Mapping[str, Any] | None) -> list[int]:
    """List the tokens of each answer that came; empty where the single requests were not saved."""
    lengths = (saved or {}).get("output_lens")
    if not isinstance(lengths, list):
        return []
    return [length for length in lengths if isinstance(length, int) and length > 0]


def samples(saved: Mapping[str, Any]) -> dict[str, list[float]]:
    """Take each answer's latencies out of the single requests; empty where these cannot be read.

    Returns:
        seconds, by the client's short names of the latencies.
    """
    try:
        return _samples(saved) if _has_details(saved) else {}
    except _UNREADABLE:
        return {}


def percentile(ordered: Sequence[float], which: float) -> float:
    """Interpolate between neighbours, as numpy does, and so the client.

    Args:
        which: 0 to 100.
    """
    place = (len(ordered) - 1) * which / 100
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _has_details(saved: Mapping[str, Any]) -> bool:
    return {"output_lens", "ttfts", "itls"} <= saved.keys()


def _answered(saved: Mapping[str, Any]) -> list[int]:
    return [number for number, length in enumerate(saved["output_lens"]) if length > 0]


def _samples(saved: Mapping[str, Any]) -> dict[str, list[float]]:
    """Reckon as the client does: it divides by an answer's tokens, as a chunk may hold several."""
    lengths, first, gaps = saved["output_lens"], saved["ttfts"], saved["itls"]
    answered = _answered(saved)
    whole = saved.get("latencies")
    if whole is None:  # older clients do not save it
        whole = {number: first[number] + sum(gaps[number]) for number in answered}
    return {
        "ttft": [first[number] for number in answered],
        "tpot": [
            (whole[number] - first[number]) / (lengths[number] - 1)
            for number in answered
            if lengths[number] > 1
        ],
        "itl": [gap for number in answered for gap in gaps[number]],
        "e2el": [whole[number] for number in answered],
    }


def _again(saved: Mapping[str, Any], figures: Figures) -> dict[str, float]:
    if not _has_details(saved):
        return {}
    answered, tokens = _answered(saved), sum(saved["output_lens"])
    again = {"completed": float(len(answered)), "total_output_tokens": float(tokens)}
    again |= _of_inputs(saved, answered)
    exact = {"ttft", "itl"} if saved.get("latencies") is None else {"ttft", "itl", "tpot", "e2el"}
    for metric, values in _samples(saved).items():
        if metric in exact:
            again |= _spread(metric, values, figures)
    return {key: value for key, value in again.items() if key in figures}


def _of_inputs(saved: Mapping[str, Any], answered: Sequence[int]) -> dict[str, float]:
    lengths = saved.get("input_lens")
    return (
        {} if lengths is None else {"total_input_tokens": float(sum(lengths[number] for number in answered))}
    )


def _spread(metric: str, seconds: Sequence[float], figures: Figures) -> Iterator[tuple[str, float]]:
    if not seconds:
        return
    ordered = sorted(seconds)
    yield f"mean_{metric}_ms", statistics.fmean(ordered) * _MILLISECONDS
    yield f"median_{metric}_ms", percentile(ordered, 50) * _MILLISECONDS
    yield f"std_{metric}_ms", statistics.pstdev(ordered) * _MILLISECONDS
    for key in figures:
        if key.startswith("p") and key.endswith(f"_{metric}_ms"):
            which = float(key[1:].partition("_")[0])
            yield key, percentile(ordered, which) * _MILLISECONDS


def _same(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=_SAME, abs_tol=_SAME)
