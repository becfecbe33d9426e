"""The figures as Markdown."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.transfer.usage import Usage
from benchmarks.transfer.ways import Way

_HEAD = (
    "way",
    "MB/s",
    "ratio",
    "over idle",
    "CPU-s/GB",
    "ratio",
    "over idle",
    "peak MB",
    "over idle",
    "disk: left MB",
    "written MB",
    "checks SHA-256",
)

_CONDITIONS = (
    "Loopback without TLS: hub, sink and client share the cores. The sink makes an MD5 for gcloud"
    " only, which refuses an answer without one. `over idle`: without what the same way takes for"
    " a model of 4 KiB."
)


@dataclass(frozen=True)
class Measured:
    """What a way took.

    Args:
        size: of the model, in bytes.
        usages: of each round; none where a program is missing.
        idle: of the same way with next to nothing to move.
        left: bytes of weights on the local disk at its end.
    """

    way: Way
    size: int
    usages: Sequence[Usage]
    idle: Usage | None
    left: int

    @property
    def speed(self) -> float:
        """Tell the MB a second."""
        return self.size / self.seconds / 1e6

    @property
    def seconds(self) -> float:
        """Tell how long it took."""
        return self._median(lambda usage: usage.seconds)

    @property
    def cpu(self) -> float:
        """Tell the client's CPU seconds for a GB."""
        return self._median(lambda usage: usage.cpu_seconds) / self.size * 1e9

    @property
    def peak(self) -> float:
        """Tell the MB that the largest process held."""
        return self._median(lambda usage: usage.peak_mb)

    @property
    def written(self) -> float:
        """Tell the MB written to local disks."""
        return self._median(lambda usage: usage.written_mb)

    def _median(self, of: Callable[[Usage], float]) -> float:
        return median(of(usage) for usage in self.usages)


def table(measured: Sequence[Measured], model: str, rounds: int) -> str:
    """Write all ways, with ratios to the first that could be gone.

    Args:
        model: its shards and their size.
    """
    first = next((one for one in measured if one.usages), None)
    return "\n".join(
        [
            f"Model {model}, median of {rounds} rounds, {os.cpu_count()} cores, Python"
            f" {platform.python_version()}. {_CONDITIONS}",
            "",
            _row(_HEAD),
            _row(["---"] * len(_HEAD)),
            *(_row(_cells(one, first)) for one in measured),
        ]
    )


def _cells(one: Measured, first: Measured | None) -> Sequence[str]:
    if not one.usages or one.idle is None or first is None:
        return [one.way.name, f"NOT MEASURED: no {one.way.missing} on this machine", *[""] * (len(_HEAD) - 2)]
    return [
        one.way.name,
        f"{one.speed:.0f}",
        f"{one.speed / first.speed:.2f}",
        f"{one.size / (one.seconds - one.idle.seconds) / 1e6:.0f}",
        f"{one.cpu:.2f}",
        f"{one.cpu / first.cpu:.2f}",
        f"{one.cpu - one.idle.cpu_seconds / one.size * 1e9:.2f}",
        f"{one.peak:.0f}",
        f"{one.peak - one.idle.peak_mb:.0f}",
        f"{one.left / 1e6:.0f}",
        f"{one.written:.0f}",
        "yes" if one.way.hashes else "no",
    ]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
