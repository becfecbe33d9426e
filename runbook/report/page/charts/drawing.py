"""Draws charts: twice for the page, for wide screens and for phones, and as files."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.typing import RcKeyType

from runbook.report.page.charts.chart import Chart
from runbook.report.page.charts.style import NARROW, ORANGE, PAPER, PARAMETERS, WIDE
from runbook.report.page.charts.svg import Stylesheet, inline

DOTS_PER_INCH: Final = 160
REHEARSAL: Final = "REHEARSAL: no figure here is a TPU's"


@dataclass(frozen=True)
class Drawn:
    """A chart on the page.

    Args:
        chart: what it shows.
        wide: SVG for wide screens and paper.
        narrow: SVG for phones.
    """

    chart: Chart
    wide: str
    narrow: str


def draw(chart: Chart, sheet: Stylesheet, *, rehearsal: bool) -> Drawn:
    """Draw a chart for the page.

    Args:
        chart: what to draw.
        sheet: takes the styles.
        rehearsal: whether the chart itself says that its figures are a rehearsal's.
    """
    both = [
        inline(
            _figure(chart, narrow=narrow, rehearsal=rehearsal, form="svg").decode(),
            f"{chart.name}-{'narrow' if narrow else 'wide'}",
            chart.title,
            chart.description,
            sheet,
        )
        for narrow in (False, True)
    ]
    return Drawn(chart, *both)


def write_files(charts: Sequence[Chart], folder: Path, *, rehearsal: bool) -> list[Path]:
    """Write each chart as PNG and as SVG.

    Args:
        charts: what to draw.
        folder: is made where it is missing.
        rehearsal: whether each chart says that its figures are a rehearsal's.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    written = []
    for chart in charts:
        for form in ("svg", "png"):
            path = folder / f"{chart.name}.{form}"
            path.write_bytes(_figure(chart, narrow=False, rehearsal=rehearsal, form=form))
            written.append(path)
    return written


def _figure(chart: Chart, *, narrow: bool, rehearsal: bool, form: str) -> bytes:
    size = (NARROW, chart.narrow_height) if narrow else (WIDE, chart.height)
    parameters: dict[RcKeyType, Any] = {**PARAMETERS, "svg.hashsalt": chart.name}
    with mpl.rc_context(parameters):
        figure = Figure(figsize=size, facecolor=PAPER)
        chart.draw(figure, narrow)
        if rehearsal:
            mark = "REHEARSAL" if narrow else REHEARSAL
            figure.suptitle(mark, x=0.995, ha="right", color=ORANGE, fontsize=8, fontweight="bold")
        target = io.BytesIO()
        metadata = {"Date": None} if form == "svg" else {}
        figure.savefig(target, format=form, dpi=DOTS_PER_INCH, metadata=metadata)
    return target.getvalue()
