"""History: each run's events and outcome under .runs/. It is never read to decide what to do."""

from __future__ import annotations

import json
import os
import secrets
import socket
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from runbook.engine.events import CostKnown, Event, RunEnded, RunStarted, Transferred
from runbook.engine.person import login_name
from runbook.engine.records import event_record, outcome_record


def new_run_id() -> str:
    """Name a run by local time and four random characters; names sort by time."""
    return f"{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


class Journal:
    """Keeps one run: an observer that writes `events.jsonl` as they come and `run.json` at both ends.

    Args:
        folder: the run's own, such as .runs/20261123-154200-1a2b; made with mode 0700.
        arguments: the command line as typed, secrets excluded.
    """

    def __init__(self, folder: Path, arguments: Sequence[str]) -> None:
        self._folder = folder
        self._arguments = list(arguments)
        self._document: dict[str, Any] = {}
        folder.mkdir(parents=True, mode=0o700)
        descriptor = os.open(folder / "events.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._events = os.fdopen(descriptor, "w", buffering=1)

    def notify(self, event: Event) -> None:
        """Keep the event; progress of transfers is shown, not kept."""
        if isinstance(event, Transferred):
            return
        self._events.write(json.dumps(event_record(event)) + "\n")
        if isinstance(event, RunStarted):
            self._begin(event)
        elif isinstance(event, CostKnown):
            self._document["cost"] = event_record(event)
        elif isinstance(event, RunEnded):
            self._end(event)

    def _begin(self, event: RunStarted) -> None:
        self._document = {
            "run_id": event.run_id,
            "environment": event.environment,
            "tasks": list(event.tasks),
            "arguments": self._arguments,
            "check": event.check,
            "user": login_name(),
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "started": time.time(),
            "steps": [vars(step) | {"needs": list(step.needs)} for step in event.steps],
        }
        self._write()

    def _end(self, event: RunEnded) -> None:
        self._document |= {
            "seconds": event.seconds,
            "exit_code": event.exit_code,
            "outcomes": [outcome_record(outcome) for outcome in event.outcomes],
        }
        self._write()
        self._events.close()

    def _write(self) -> None:
        fresh = self._folder / "run.json.new"
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(self._document, file, indent=1)
        fresh.replace(self._folder / "run.json")


def read_runs(runs: Path) -> Iterator[dict[str, Any]]:
    """Read the runs kept under .runs/, the newest first."""
    for path in sorted(runs.glob("*/run.json"), reverse=True):
        document = _read(path)
        if document:
            yield document


def _read(path: Path) -> dict[str, Any] | None:
    """Read a run; one that a full disk or a crash left unreadable is left out."""
    try:
        document: dict[str, Any] = json.loads(path.read_text())
    except ValueError:
        return None
    return document
