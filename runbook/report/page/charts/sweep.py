"""Throughput and latency over concurrency: where more requests at once buy only waiting."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from runbook.measurement.sweep import Sweep, SweepPoint
from runbook.report.page.charts.chart import Chart
from runbook.report.page.charts.style import BLUE, GREEN, MUTED, ORANGE, RED, from_zero, thousands
from runbook.report.page.wording import number
from runbook.report.sweep import share_text

HEADERS = (
    "Concurrency",
    "Output tokens/s",
    "Median TTFT, ms",
    "p99 TTFT, ms",
    "Median TPOT, ms",
    "Within the objective (95 % interval)",
)


def sweep_chart(sweep: Sweep) -> Chart | None:
    """Chart a sweep; None where it has no points."""
    points = sorted(sweep.points, key=lambda point: point.concurrency)
    if not points:
        return None
    return Chart(
        name="sweep",
        title="Throughput and latency over concurrency",
        description=_told(points, sweep),
        headers=HEADERS,
        rows=[_row(point, sweep) for point in points],
        draw=lambda figure, narrow: _draw(figure, points, sweep, narrow=narrow),
        height=2.9,
        narrow_height=6.4,
    )


def _told(points: Sequence[SweepPoint], sweep: Sweep) -> str:
    first, last = points[0], points[-1]
    text = (
        f"from {number(first.output_throughput)} output tokens/s at {first.concurrency} requests at once "
        f"to {number(last.output_throughput)} at {last.concurrency}"
    )
    return f"{text}; {sweep.best.concurrency} at once keep the objective" if sweep.best else text


def _row(point: SweepPoint, sweep: Sweep) -> tuple[str, ...]:
    best = sweep.best is not None and sweep.best.concurrency == point.concurrency
    return (
        f"{point.concurrency} (best)" if best else str(point.concurrency),
        number(point.output_throughput),
        number(point.median_ttft_ms),
        number(point.p99_ttft_ms),
        number(point.median_tpot_ms),
        share_text(point),
    )


def _draw(figure: Figure, points: Sequence[SweepPoint], sweep: Sweep, *, narrow: bool) -> None:
    throughput, first, each = figure.subplots(*((3, 1) if narrow else (1, 3))).flat
    _line(throughput, points, "output_throughput", BLUE)
    throughput.set_title("Output, tokens/s")
    _line(first, points, "p99_ttft_ms", ORANGE, "p99")
    _line(first, points, "median_ttft_ms", BLUE, "median")
    first.set_title("TTFT, ms")
    _line(each, points, "median_tpot_ms", BLUE, "median")
    each.set_title("TPOT, ms")
    _objective(first, sweep.objective.get("ttft"))
    _objective(each, sweep.objective.get("tpot"))
    for axes in (throughput, first, each):
        _finish(axes, points, sweep)
    first.legend(loc="upper left", fontsize=7.5)
    each.legend(loc="upper left", fontsize=7.5)


def _line(
    axes: Axes, points: Sequence[SweepPoint], field: str, colour: str, label: str | None = None
) -> None:
    found = [(point.concurrency, value) for point in points if (value := getattr(point, field)) is not None]
    axes.plot([x for x, _ in found], [y for _, y in found], marker="o", color=colour, label=label)


def _objective(axes: Axes, limit: float | None) -> None:
    if limit is not None:
        axes.axhline(limit, color=RED, linestyle="--", linewidth=1.1, label=f"objective {number(limit)}")


def _finish(axes: Axes, points: Sequence[SweepPoint], sweep: Sweep) -> None:
    if sweep.best:
        axes.axvline(sweep.best.concurrency, color=GREEN, linewidth=6, alpha=0.25)
    concurrencies = [point.concurrency for point in points]
    axes.set_xscale("log", base=2)
    every = -(-len(concurrencies) // 6)
    shown = concurrencies[::every]
    axes.xaxis.set_major_locator(FixedLocator(shown))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticklabels([str(value) for value in shown])
    axes.set_xlabel("requests at once", color=MUTED)
    from_zero(axes)
    thousands(axes)
