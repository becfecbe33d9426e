"""The figures of a benchmark, with units, each beside that of the last comparable run."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from runbook.measurement.document import Document
from runbook.report.page.wording import number, percent

LATENCIES: Final = {
    "ttft": "Time to first token",
    "tpot": "Time per output token, without the first",
    "itl": "Inter-token latency",
    "e2el": "End-to-end latency",
}
"""What the client measures of each request, by its own short name."""

SAME: Final = 0.0005
"""A relative change below it is written as none."""

MEDIAN: Final = 50.0
"""The percentile that the client also names: its column is `median`."""

_PERCENTILE: Final = re.compile(r"p(\d+(?:\.\d+)?)_(\w+)_ms")
_THROUGHPUTS: Final = (
    ("output_tokens_per_s_per_chip", "Output tokens a second and chip", "tokens/s/chip"),
    ("total_tokens_per_s_per_chip", "All tokens a second and chip", "tokens/s/chip"),
    ("output_throughput", "Output tokens a second", "tokens/s"),
    ("total_token_throughput", "All tokens a second", "tokens/s"),
    ("request_throughput", "Requests a second", "requests/s"),
    ("request_goodput", "Requests a second within the objective", "requests/s"),
)
_COSTS: Final = (("price_per_million_output_tokens", "Price of a million output tokens", ""),)
_COUNTS: Final = (
    ("completed", "Requests completed", "requests"),
    ("failed", "Requests failed", "requests"),
    ("duration", "Duration", "s"),
    ("total_input_tokens", "Input tokens", "tokens"),
    ("total_output_tokens", "Output tokens", "tokens"),
)


@dataclass(frozen=True)
class Delta:
    """How a figure differs from the one before.

    Args:
        text: such as `+3.1 %`.
        judgement: better, worse or same.
        before: the other figure, as it is written.
    """

    text: str
    judgement: str
    before: str


@dataclass(frozen=True)
class Figure:
    """One figure.

    Args:
        name: in words.
        text: the number.
        unit: such as `tokens/s`.
        delta: None where there is nothing to compare with.
    """

    name: str
    text: str
    unit: str
    delta: Delta | None = None


@dataclass(frozen=True)
class LatencyRow:
    """One latency's figures in ms, under the headings of its table."""

    name: str
    short: str
    cells: Sequence[Figure]


def values(document: Document) -> dict[str, float]:
    """Give all figures of a document by name; what is not there is left out."""
    found = {**document.result, **dict(document.derived)}
    return {name: value for name, value in found.items() if isinstance(value, int | float)}


def headline(document: Document, before: Document | None) -> list[Figure]:
    """Choose the figures that people ask for first."""
    wanted = (
        ("output_tokens_per_s_per_chip", "Output throughput of a chip", "tokens/s/chip"),
        ("output_throughput", "Output throughput", "tokens/s"),
        ("median_ttft_ms", "Median time to first token", "ms"),
        ("median_tpot_ms", "Median time per output token", "ms"),
    )
    return _figures(wanted, document, before)


def throughputs(document: Document, before: Document | None, currency: str) -> list[Figure]:
    """Give throughputs, and the price of tokens where one is set."""
    costs = [(name, title, currency) for name, title, _ in _COSTS]
    return _figures([*_THROUGHPUTS, *costs], document, before)


def counts(document: Document) -> list[Figure]:
    """Give counts and times, which are no better or worse."""
    return _figures(_COUNTS, document, None)


def statistics(document: Document) -> list[str]:
    """List the statistics of latencies that a document has, such as mean, median, p90 and p99."""
    percentiles = {found[1] for name in document.result if (found := _PERCENTILE.fullmatch(name))}
    present = [f"p{text}" for text in sorted(percentiles, key=float) if float(text) != MEDIAN]
    return [
        name
        for name in ("mean", "std", "median", *present)
        if any(f"{name}_{short}_ms" in document.result for short in LATENCIES)
    ]


def latencies(document: Document, before: Document | None) -> list[LatencyRow]:
    """Give the table of latencies, a row for each kind that was measured."""
    now, past = values(document), values(before) if before else {}
    return [
        LatencyRow(
            title,
            short.upper(),
            [_figure(f"{kind}_{short}_ms", "", "ms", now, past) for kind in statistics(document)],
        )
        for short, title in LATENCIES.items()
        if f"median_{short}_ms" in now
    ]


def percentiles(document: Document, short: str) -> list[tuple[float, float]]:
    """Give the percentile curve of a latency: percentile and ms, the median being the 50th."""
    points = {
        float(found[1]): value
        for name, value in values(document).items()
        if (found := _PERCENTILE.fullmatch(name)) and found[2] == short
    }
    median = values(document).get(f"median_{short}_ms")
    return sorted((points | ({MEDIAN: median} if median is not None else {})).items())


def _figures(
    wanted: Sequence[tuple[str, str, str]], document: Document, before: Document | None
) -> list[Figure]:
    now, past = values(document), values(before) if before else {}
    return [_figure(key, name, unit, now, past) for key, name, unit in wanted if key in now]


def _figure(key: str, name: str, unit: str, now: Mapping[str, float], past: Mapping[str, float]) -> Figure:
    return Figure(name, number(now.get(key)), unit, _delta(key, now.get(key), past.get(key)))


def _delta(key: str, now: float | None, before: float | None) -> Delta | None:
    if now is None or not before:
        return None
    change = now / before - 1
    less_is_better = key.endswith(("_ms", "_tokens")) and "per_s" not in key
    improved = (change < 0) == less_is_better
    judgement = "same" if abs(change) < SAME else "better" if improved else "worse"
    return Delta(percent(change), judgement, number(before))
