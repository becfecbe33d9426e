"""What is kept of a run under .runs/, read for its page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from runbook.engine.errors import UserError
from runbook.engine.kept import MANIFESTS, VARIABLES
from runbook.measurement.document import Document, read
from runbook.measurement.sweep import FILE_NAME as SWEEP
from runbook.measurement.sweep import Sweep, read_sweep

BENCHMARKS: Final = re.compile(r"bench(?:-(\d+))?\.json")
EVENTS: Final = "events.jsonl"


@dataclass(frozen=True)
class Kept:
    """A run as it is kept.

    Args:
        run: its run.json.
        events: the events, in order.
        benchmarks: its documents, in order.
        sweep: over concurrencies, where the run made one.
        variables: records of `inv vars --json`; empty where an older version kept none.
        manifests: what was applied, by file name.
        unread: what is kept and could not be read, and why.
    """

    run: dict[str, Any]
    events: list[dict[str, Any]]
    benchmarks: list[Document]
    sweep: Sweep | None
    variables: list[dict[str, Any]]
    manifests: dict[str, str]
    unread: list[str]


def read_kept(folder: Path, run: dict[str, Any]) -> Kept:
    """Read all that is kept of a run.

    Args:
        folder: the run's own, under .runs/.
        run: its run.json.
    """
    unread: list[str] = []
    variables = folder / VARIABLES
    return Kept(
        run=run,
        events=_events(folder / EVENTS),
        benchmarks=list(_readable(folder, unread)),
        sweep=_sweep(folder / SWEEP, unread),
        variables=json.loads(variables.read_text(encoding="utf-8")) if variables.exists() else [],
        manifests={path.name: path.read_text() for path in sorted(folder.glob(f"{MANIFESTS}/*"))},
        unread=unread,
    )


def benchmarks_under(runs: Path) -> list[Document]:
    """Read the benchmarks of all runs, the oldest first; what is no document of this version is left out."""
    folders = [path.parent for path in runs.glob("*/run.json")]
    found = [document for folder in folders for document in _readable(folder, [])]
    return sorted(found, key=lambda document: document.started)


def _readable(folder: Path, unread: list[str]) -> Iterator[Document]:
    numbered = {
        int(found[1] or 1): path
        for path in folder.glob("bench*.json")
        if (found := BENCHMARKS.fullmatch(path.name))
    }
    for _, path in sorted(numbered.items()):
        try:
            yield read(path)
        except UserError as error:
            unread.append(f"{error.place}: {error.message}")


def _sweep(path: Path, unread: list[str]) -> Sweep | None:
    if not path.exists():
        return None
    try:
        return read_sweep(path)
    except UserError as error:
        unread.append(f"{error.place}: {error.message}")
        return None


def _events(path: Path) -> list[dict[str, Any]]:
    """Read the events; a last line that a kill cut off is left out."""
    if not path.exists():
        return []
    events = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            events.append(json.loads(line))
        except ValueError:
            continue
    return events
