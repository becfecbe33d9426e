"""Draws charts: twice for the page, for wide screens and for phones, and as files."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
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
    """A chart, drawn.

    Args:
        chart: what it shows.
        wide: SVG for wide screens and paper.
        narrow: SVG for phones.
        files: the wide one to stand alone, by form: svg and png.
    """

    chart: Chart
    wide: str
    narrow: str
    files: Mapping[str, bytes]


def draw(chart: Chart, sheet: Stylesheet, *, rehearsal: bool) -> Drawn:
    """Draw a chart for the page, and to stand alone.

    Args:
        chart: what to draw.
        sheet: takes the styles.
        rehearsal: whether the chart itself says that its figures are a rehearsal's.
    """
    wide = _figure(chart, ("svg", "png"), narrow=False, rehearsal=rehearsal)
    narrow = _figure(chart, ("svg",), narrow=True, rehearsal=rehearsal)
    named = partial(inline, title=chart.title, description=chart.description, sheet=sheet)
    return Drawn(
        chart,
        named(wide["svg"].decode(), prefix=f"{chart.name}-wide"),
        named(narrow["svg"].decode(), prefix=f"{chart.name}-narrow"),
        wide,
    )


def write_files(charts: Iterable[Drawn], folder: Path) -> list[Path]:
    """Write each chart as SVG and as PNG.

    Args:
        charts: as they were drawn.
        folder: is made where it is missing.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    written = []
    for drawn in charts:
        for form, content in drawn.files.items():
            path = folder / f"{drawn.chart.name}.{form}"
            path.write_bytes(content)
            written.append(path)
    return written


def _figure(chart: Chart, forms: Sequence[str], *, narrow: bool, rehearsal: bool) -> dict[str, bytes]:
    size = (NARROW, chart.narrow_height) if narrow else (WIDE, chart.height)
    parameters: dict[RcKeyType, Any] = {**PARAMETERS, "svg.hashsalt": chart.name}
    with mpl.rc_context(parameters):
        figure = Figure(figsize=size, facecolor=PAPER)
        chart.draw(figure, narrow)
        if rehearsal:
            mark = "REHEARSAL" if narrow else REHEARSAL
            figure.suptitle(mark, x=0.995, ha="right", color=ORANGE, fontsize=8, fontweight="bold")
        return {form: _saved(figure, form) for form in forms}


def _saved(figure: Figure, form: str) -> bytes:
    target = io.BytesIO()
    metadata = {"Date": None} if form == "svg" else {}  # the same run gives the same file
    figure.savefig(target, format=form, dpi=DOTS_PER_INCH, metadata=metadata)
    figure.set_layout_engine("none")  # the layout is found; the next form has the same
    return target.getvalue()
