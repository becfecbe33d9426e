"""One look for all charts. Each colour here is the light theme's of a CSS variable of page.css."""

from __future__ import annotations

from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.ticker import StrMethodFormatter
from matplotlib.typing import RcKeyType

INK: Final = "#1c2128"
MUTED: Final = "#59636e"
GRID: Final = "#d6dce3"
PAPER: Final = "#ffffff"
BLUE: Final = "#0a5fc2"
ORANGE: Final = "#a84c00"
GREEN: Final = "#1b7a45"
RED: Final = "#bf222b"

VARIABLES: Final = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--grid",
    PAPER: "--paper",
    BLUE: "--blue",
    ORANGE: "--orange",
    GREEN: "--green",
    RED: "--red",
}

WIDE: Final = 7.6
NARROW: Final = 3.4
"""Inches; on the page 72 units each, so that 9 points are about 12 pixels at 1280 and at 360."""

PARAMETERS: Final[dict[RcKeyType, Any]] = {
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "text.parse_math": False,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": GRID,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": GRID,
    "ytick.color": GRID,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "figure.constrained_layout.use": True,
}


def from_zero(axes: Axes) -> None:
    """Let the y axis begin at nothing, with room for labels above; nothing shown here is less."""
    high = axes.get_ylim()[1]
    axes.set_ylim(0, high * 1.08 if high > 0 else 1)


def thousands(axes: Axes) -> None:
    """Write the y axis as numbers with thousands apart."""
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))


def only_horizontal(axes: Axes) -> None:
    """Leave out the grid's vertical lines."""
    axes.grid(visible=False, axis="x")
