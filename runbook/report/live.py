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
from runbook.report.progress import Progress, RunningStep, Transfer

PER_SECOND = 8
BAR_WIDTH = 30
MOST_FILES = 12


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
        running = self._progress.running()
        return Group(*(line for step in running for line in (self._line(step), *_files(step))))

    def _line(self, step: RunningStep) -> Table:
        line = Table.grid(padding=(0, 1))
        cells: list[Spinner | Text | ProgressBar] = [self._spinner, Text(describe(step).removeprefix("... "))]
        done, total = step.transferred
        if total:
            cells.append(ProgressBar(total=total, completed=done, width=BAR_WIDTH))
        line.add_row(*cells)
        return line


def _files(step: RunningStep) -> list[Table]:
    """Draw a bar for each file on its way, under the step's own."""
    on_the_way = [(name, item) for name, item in step.transfers.items() if item.on_the_way]
    return [_file(name, item) for name, item in on_the_way[:MOST_FILES]]


def _file(name: str, item: Transfer) -> Table:
    line = Table.grid(padding=(0, 1))
    told = f"{item.done / 1e6:.0f} of {item.total / 1e6:.0f} MB"
    bar = ProgressBar(total=item.total, completed=item.done, width=BAR_WIDTH)
    line.add_row(Text(f"           {name}"), bar, Text(told))
    return line
