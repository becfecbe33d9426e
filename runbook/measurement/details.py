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
    except (TypeError, ValueError, KeyError, statistics.StatisticsError) as error:
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


def _again(saved: Mapping[str, Any], figures: Figures) -> dict[str, float]:
    if not {"output_lens", "ttfts", "itls"} <= saved.keys():
        return {}
    lengths, first, gaps = saved["output_lens"], saved["ttfts"], saved["itls"]
    answered = [number for number, length in enumerate(lengths) if length > 0]
    again = {"completed": float(len(answered)), "total_output_tokens": float(sum(lengths))}
    again |= _of_inputs(saved, answered)
    samples: dict[str, list[float]] = {
        "ttft": [first[number] for number in answered],
        "itl": [gap for number in answered for gap in gaps[number]],
    }
    latencies = saved.get("latencies")
    if latencies is not None:  # older clients do not save it
        samples["e2el"] = [latencies[number] for number in answered]
        samples["tpot"] = [
            (latencies[number] - first[number]) / (lengths[number] - 1)
            for number in answered
            if lengths[number] > 1
        ]
    again |= {
        key: value for metric, values in samples.items() for key, value in _spread(metric, values, figures)
    }
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
    yield f"median_{metric}_ms", _percentile(ordered, 50) * _MILLISECONDS
    yield f"std_{metric}_ms", statistics.pstdev(ordered) * _MILLISECONDS
    for key in figures:
        if key.startswith("p") and key.endswith(f"_{metric}_ms"):
            which = float(key[1:].partition("_")[0])
            yield key, _percentile(ordered, which) * _MILLISECONDS


def _percentile(ordered: Sequence[float], which: float) -> float:
    """Interpolate between neighbours, as numpy does."""
    place = (len(ordered) - 1) * which / 100
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _same(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=_SAME, abs_tol=_SAME)
