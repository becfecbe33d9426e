"""On a terminal: a live status below the lines, with a bar for each step that transfers files."""

from __future__ import annotations

from rich.console import Console as Terminal
from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from runbook.report.heartbeat import describe
from runbook.report.progress import Progress, RunningStep

PER_SECOND = 8


class LiveStatus:
    """Prints lines above a status that is redrawn a few times a second.

    Args:
        progress: the running steps.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._spinner = Spinner("dots")
        self._terminal = Terminal(highlight=False, markup=False)
        self._live = Live(
            get_renderable=self._draw, console=self._terminal, refresh_per_second=PER_SECOND, transient=True
        )
        self._live.start()

    def print(self, text: str) -> None:
        """Print a line above the status."""
        self._terminal.print(Text.from_ansi(text), soft_wrap=True)

    def close(self) -> None:
        """Take the status away."""
        self._live.stop()

    def _draw(self) -> Group:
        return Group(*(self._line(step) for step in self._progress.running()))

    def _line(self, step: RunningStep) -> Table:
        line = Table.grid(padding=(0, 1))
        cells: list[Spinner | Text | ProgressBar] = [self._spinner, Text(describe(step).removeprefix("... "))]
        done, total = step.transferred
        if total:
            cells.append(ProgressBar(total=total, completed=done, width=30))
        line.add_row(*cells)
        return line
