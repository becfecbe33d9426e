"""Output throughput over the runs that measured the same thing."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from matplotlib.figure import Figure

from runbook.measurement.document import Document
from runbook.report.page.charts.chart import Chart
from runbook.report.page.charts.style import BLUE, MUTED, ORANGE, from_zero, only_horizontal, thousands
from runbook.report.page.figures import values
from runbook.report.page.wording import day, number, percent

LABELS = 8
NARROW_LABELS = 3


def history_chart(document: Document, alike: Sequence[Document]) -> Chart | None:
    """Chart the comparable runs, the shown one marked; None where there is only that one."""
    shown = [other for other in alike if "output_throughput" in values(other)]
    if len(shown) < 2 or document.id not in {other.id for other in shown}:
        return None
    heights = [values(other)["output_throughput"] for other in shown]
    middle = median(heights)
    here = [other.id for other in shown].index(document.id)
    return Chart(
        name="history",
        title="Output throughput of comparable runs, tokens/s",
        description=f"{len(shown)} runs from {number(min(heights))} to {number(max(heights))} tokens/s, "
        f"median {number(middle)}; this one {number(heights[here])}",
        headers=("Benchmark", "Began", "Output tokens/s", "Against the median"),
        rows=[
            (
                f"{other.id} (this one)" if other.id == document.id else other.id,
                day(other.started),
                number(height),
                percent(height / middle - 1) if middle else "-",
            )
            for other, height in zip(shown, heights, strict=True)
        ],
        draw=lambda figure, narrow: _draw(figure, shown, heights, here, middle, narrow=narrow),
        height=2.5,
        narrow_height=2.4,
    )


def _draw(
    figure: Figure,
    shown: Sequence[Document],
    heights: Sequence[float],
    here: int,
    middle: float,
    *,
    narrow: bool,
) -> None:
    axes = figure.subplots()
    positions = range(len(shown))
    axes.axhline(middle, color=MUTED, linestyle="--", linewidth=1, label=f"median {number(middle)}")
    axes.plot(positions, heights, marker="o", color=BLUE)
    axes.plot(
        [here], [heights[here]], "D", color=ORANGE, markersize=8, label=f"this one {number(heights[here])}"
    )
    every = -(-len(shown) // (NARROW_LABELS if narrow else LABELS))
    axes.set_xticks(list(positions)[::every], [day(other.started) for other in shown][::every])
    axes.set_ylabel("tokens/s")
    axes.set_xlim(-0.4, len(shown) - 0.6)
    from_zero(axes)
    only_horizontal(axes)
    thousands(axes)
    axes.legend(loc="lower left", ncols=1 if narrow else 2)
