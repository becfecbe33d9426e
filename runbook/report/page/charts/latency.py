"""How latencies are distributed: a histogram where each request's is kept, else the percentile curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from runbook.measurement.details import percentile, samples
from runbook.measurement.document import Document
from runbook.report.page.charts.chart import Chart
from runbook.report.page.charts.style import BLUE, ORANGE, from_zero, only_horizontal
from runbook.report.page.figures import LATENCIES, percentiles, values
from runbook.report.page.wording import number

MILLISECONDS = 1000
BINS = 32
LEAST_SPREAD = 1e-6
"""Of the largest, between the first bin and the last: samples that are all but equal have no room for 32."""


@dataclass(frozen=True)
class _Latency:
    """One latency: its percentile curve, its mean, and where they are kept all its samples, in ms."""

    short: str
    curve: Sequence[tuple[float, float]]
    mean: float | None
    samples: Sequence[float]


def latency_chart(document: Document) -> Chart | None:
    """Chart the latencies of a benchmark; None where it has none."""
    of_requests = _samples(document.client or {})
    found = [
        _Latency(short, curve, values(document).get(f"mean_{short}_ms"), of_requests.get(short, ()))
        for short in LATENCIES
        if (curve := percentiles(document, short))
    ]
    if not found:
        return None
    return Chart(
        name="latency",
        title="Distribution of latencies",
        description="; ".join(_told(latency) for latency in found),
        headers=("Latency", "Percentile", "ms"),
        rows=[
            (latency.short.upper(), f"p{which:g}", number(value))
            for latency in found
            for which, value in latency.curve
        ],
        draw=lambda figure, narrow: _draw(figure, found, narrow=narrow),
        height=2.6 if len(found) < 4 else 4.6,
        narrow_height=1.75 * len(found) + 0.2,
    )


def _told(latency: _Latency) -> str:
    points = ", ".join(f"p{which:g} {number(value)} ms" for which, value in latency.curve)
    return f"{latency.short.upper()}: {points}"


def _samples(client: Mapping[str, Any]) -> dict[str, list[float]]:
    """Take each request's latencies out of the client's detailed JSON, in ms."""
    return {short: [MILLISECONDS * value for value in found] for short, found in samples(client).items()}


def _draw(figure: Figure, latencies: Sequence[_Latency], *, narrow: bool) -> None:
    columns = 1 if narrow else min(len(latencies), 2 if len(latencies) == 4 else 3)
    rows = -(-len(latencies) // columns)
    panels = figure.subplots(rows, columns, squeeze=False).flat
    for latency, axes in zip(latencies, panels, strict=False):
        if len(latency.samples) > 1:
            _histogram(axes, latency)
        else:
            _curve(axes, latency)
        axes.set_title(_title(latency))
        only_horizontal(axes)


def _histogram(axes: Axes, latency: _Latency) -> None:
    ordered = sorted(latency.samples)
    low, high = ordered[0], percentile(ordered, 99.9)
    spread = max(high - low, high * LEAST_SPREAD)
    axes.hist(ordered, bins=BINS, range=(low, low + spread), color=BLUE, alpha=0.75)
    for which, height in ((50, 0.86), (99, 1.0)):
        value = percentile(ordered, which)
        axes.axvline(value, color=ORANGE, linestyle="--", linewidth=1.2)
        axes.annotate(
            f"p{which} {number(value)}",
            (value, height),
            xycoords=("data", "axes fraction"),
            xytext=(-3 if which == 99 else 3, 0),
            textcoords="offset points",
            ha="right" if which == 99 else "left",
            va="top",
            color=ORANGE,
        )
    axes.set_ylabel("tokens" if latency.short == "itl" else "requests")


def _curve(axes: Axes, latency: _Latency) -> None:
    positions = range(len(latency.curve))
    heights = [value for _, value in latency.curve]
    if latency.mean is not None:
        axes.axhline(latency.mean, color=ORANGE, linestyle="--", linewidth=1)
    axes.plot(positions, heights, marker="o", color=BLUE, clip_on=False, zorder=3)
    for position, height in zip(positions, heights, strict=True):
        axes.annotate(
            number(height), (position, height), xytext=(0, 6), textcoords="offset points", ha="center"
        )
    axes.set_xticks(list(positions), [f"p{which:g}" for which, _ in latency.curve])
    axes.set_xlim(-0.6, len(latency.curve) - 0.4)
    axes.margins(y=0.12)
    from_zero(axes)


def _title(latency: _Latency) -> str:
    mean = "" if latency.mean is None else f" (mean {number(latency.mean)})"
    return f"{latency.short.upper()}, ms{mean}"
