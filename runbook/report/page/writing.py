"""Writes the page and the files of its charts."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from runbook.engine.kept import keep
from runbook.report.page import wording
from runbook.report.page.charts.chart import Chart
from runbook.report.page.charts.drawing import Drawn, draw, write_files
from runbook.report.page.charts.history import history_chart
from runbook.report.page.charts.latency import latency_chart
from runbook.report.page.charts.svg import Stylesheet
from runbook.report.page.charts.sweep import sweep_chart
from runbook.report.page.charts.timeline import timeline_chart
from runbook.report.page.sources import benchmarks_under, read_kept
from runbook.report.page.view import View, view_of

TEMPLATES: Final = Path(__file__).parent / "templates"
PAGE: Final = "report.html"


@dataclass(frozen=True)
class Written:
    """What was written.

    Args:
        page: the HTML file.
        charts: each chart as SVG and as PNG.
    """

    page: Path
    charts: list[Path]


def write_page(runs: Path, run: dict[str, Any], to: Path | None = None) -> Written:
    """Write a run as one HTML file, and its charts as files beside it.

    Args:
        runs: the folder .runs/.
        run: the run's run.json.
        to: a folder, or a file that ends in .html; None means the run's own folder.

    Returns:
        The paths.
    """
    folder = runs / run["run_id"]
    view = view_of(read_kept(folder, run), benchmarks_under(runs))
    sheet = Stylesheet()
    charts = {chart.name: draw(chart, sheet, rehearsal=view.rehearsal) for chart in _charts(view)}
    page = _page(folder, to)
    beside = page.parent / ("charts" if page.name == PAGE else f"{page.stem}-charts")
    text = _render(view, charts, sheet)
    if to is None:
        keep(page, text)
    else:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text, encoding="utf-8")
    return Written(page, write_files(charts.values(), beside))


def _page(folder: Path, to: Path | None) -> Path:
    if to is None:
        return folder / PAGE
    return to if to.suffix == ".html" and not to.is_dir() else to / PAGE


def _charts(view: View) -> list[Chart]:
    benchmark, sweep = view.benchmark, view.kept.sweep
    found = [
        latency_chart(benchmark.document) if benchmark else None,
        sweep_chart(sweep) if sweep else None,
        history_chart(benchmark.document, benchmark.alike) if benchmark else None,
        timeline_chart(view.outcomes, view.kept.run["started"]),
    ]
    return [chart for chart in found if chart]


def _render(view: View, charts: Mapping[str, Drawn], sheet: Stylesheet) -> str:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "duration": wording.duration,
        "number": wording.number,
        "moment": wording.moment,
        "value": wording.value,
        "safe_svg": Markup,
    }
    style = f"{(TEMPLATES / 'page.css').read_text(encoding='utf-8')}{sheet.text}\n"
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    page = environment.get_template("page.html.j2")
    return page.render(view=view, charts=charts, style=Markup(style), digest=digest)  # noqa: S704 - ours
