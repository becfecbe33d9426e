"""Wall times of command lines, side by side in one run, as a table of medians and ratios."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Contender:
    """A command line that is timed.

    Args:
        name: as the table shows it.
        command: argv.
        folder: where it runs.
        environ: its whole environment.
    """

    name: str
    command: Sequence[str]
    folder: Path
    environ: Mapping[str, str]

    def seconds(self) -> float:
        """Run it once; fail if it fails."""
        started = time.perf_counter()
        subprocess.run(self.command, cwd=self.folder, env=dict(self.environ), check=True, capture_output=True)
        return time.perf_counter() - started


def compare(contenders: Sequence[Contender], rounds: int) -> str:
    """Time all contenders in turn, round after round.

    Args:
        contenders: the first is what the ratios are to.
        rounds: how often each is run; one more round warms up and is not counted.

    Returns:
        A Markdown table: name, median seconds, ratio.
    """
    times: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for number in range(rounds + 1):
        for contender in contenders:
            seconds = contender.seconds()
            if number:
                times[contender.name].append(seconds)
    medians = {name: statistics.median(values) for name, values in times.items()}
    base = medians[contenders[0].name]
    rows = [f"| {name} | {seconds:.3f} | {seconds / base:.2f} |" for name, seconds in medians.items()]
    return "\n".join(["| what | median s | ratio |", "|---|---|---|", *rows])
