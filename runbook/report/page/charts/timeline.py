"""When each step of a run began, how long it took and how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from runbook.report.page.charts.chart import Chart
from runbook.report.page.charts.style import BLUE, GREEN, INK, MUTED, ORANGE, RED
from runbook.report.page.wording import duration

COLOURS = {
    "ok": GREEN,
    "changed": BLUE,
    "would change": ORANGE,
    "unknown": MUTED,
    "skipped": MUTED,
    "failed": RED,
}
LONGEST_NAME = 34
ROW = 0.235
"""Inches of a step's row."""

ROOM = 1.22
NARROW_ROOM = 1.6
"""How much longer than the run the axis is, so that the words beside the last bar have room."""


def timeline_chart(outcomes: Sequence[Mapping[str, Any]], began: float) -> Chart | None:
    """Chart the steps of a run as bars over its time; None where none ended.

    Args:
        outcomes: as in run.json.
        began: of the run, in seconds since 1970.
    """
    if not outcomes:
        return None
    longest = max(outcomes, key=lambda outcome: outcome["seconds"])
    return Chart(
        name="timeline",
        title="When each step ran",
        description=f"{len(outcomes)} steps; the longest is {longest['section']} {longest['name']} "
        f"with {duration(longest['seconds'])}",
        headers=("Section", "Step", "Began after", "Took", "End"),
        rows=[
            (
                outcome["section"],
                outcome["name"],
                duration(max(outcome["started"] - began, 0)),
                duration(outcome["seconds"]),
                outcome["status"],
            )
            for outcome in outcomes
        ],
        draw=lambda figure, narrow: _draw(figure, outcomes, began, narrow=narrow),
        height=ROW * len(outcomes) + 0.75,
        narrow_height=ROW * len(outcomes) + 0.75,
    )


def _draw(figure: Figure, outcomes: Sequence[Mapping[str, Any]], began: float, *, narrow: bool) -> None:
    axes = figure.subplots()
    last = max(outcome["started"] - began + outcome["seconds"] for outcome in outcomes)
    least = max(last, 0.1) / 250
    for row, outcome in enumerate(outcomes):
        left = max(outcome["started"] - began, 0)
        width = max(outcome["seconds"], least)
        axes.barh(row, width, left=left, height=0.66, color=COLOURS.get(outcome["status"], MUTED))
        _label(axes, row, left + width, f"{duration(outcome['seconds'])} {outcome['status']}")
    axes.set_yticks(range(len(outcomes)), [_name(outcome, narrow=narrow) for outcome in outcomes], color=INK)
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.set_ylim(len(outcomes) - 0.4, -0.6)
    axes.set_xlim(0, max(last, 0.1) * (NARROW_ROOM if narrow else ROOM))
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("seconds since the run began")
    axes.spines["left"].set_visible(False)


def _label(axes: Axes, row: int, right: float, text: str) -> None:
    axes.annotate(
        text, (right, row), xytext=(4, 0), textcoords="offset points", va="center", fontsize=7.5, color=MUTED
    )


def _name(outcome: Mapping[str, Any], *, narrow: bool) -> str:
    if narrow:
        return str(outcome["section"])
    name = str(outcome["name"])
    short = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1].rstrip()}…"
    return f"{short}  {outcome['section']}"
