"""The console: a line a step when it ends, what runs meanwhile, and the recap."""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from runbook.engine.events import (
    ActionBegun,
    ChangeBegun,
    ConditionSeen,
    CostKnown,
    Event,
    OutputSeen,
    RunEnded,
    RunStarted,
    StepEnded,
    StepStarted,
    Transferred,
    WarningSeen,
)
from runbook.engine.outcome import Outcome, Status
from runbook.engine.shell import one_line
from runbook.report import lines
from runbook.report.heartbeat import Heartbeat
from runbook.report.progress import Progress

ANSWER_POLL_SECONDS = 0.1
COLORS = {
    Status.OK: "32",
    Status.CHANGED: "33",
    Status.WOULD_CHANGE: "33",
    Status.UNKNOWN: "36",
    Status.SKIPPED: "2",
    Status.FAILED: "1;31",
}


class Below(Protocol):
    """What is shown of the running steps, below the lines that stay."""

    def print(self, text: str) -> None:
        """Print a line that stays."""
        ...

    def close(self) -> None:
        """Take away what does not stay."""
        ...


class Console:
    """An observer that prints for people: to a terminal with what runs as a live status, else plain lines.

    Args:
        diff: show values in full.
        verbose: print every action and condition as a line of its own.
    """

    def __init__(self, diff: bool, verbose: bool) -> None:
        self._diff = diff
        self._verbose = verbose
        self._check = False
        self._color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._progress = Progress()
        self._below = _below(self._progress)
        self._held: dict[str, list[str]] = {}

    def notify(self, event: Event) -> None:
        """Show the event, or hold its lines until its step ends."""
        self._progress.notify(event)
        for line in self._lines(event):
            self._below.print(line)

    def ask(self, question: str, pause: Callable[[float], None]) -> str:
        """Ask the operator on the terminal; the live status waits meanwhile.

        Args:
            question: one line.
            pause: waits for some seconds, or ends by the operator's interruption.
        """
        self._below.close()
        try:
            print(question, end=" ", flush=True)
            while not select.select([sys.stdin], [], [], 0)[0]:
                pause(ANSWER_POLL_SECONDS)
            return sys.stdin.readline().strip()
        finally:
            self._below = _below(self._progress)

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._below.close()

    def _lines(self, event: Event) -> Iterator[str]:
        match event:
            case RunStarted():
                self._check = event.check
                mode = ", check: nothing will be changed" if event.check else ""
                yield f"RUN {event.run_id}  environment {event.environment}{mode}"
            case StepEnded():
                yield from self._ended(event.outcome)
            case OutputSeen():
                yield from self._held_or_now(event.step.section, event.text.splitlines())
            case WarningSeen(step=None):
                yield f"warning: {event.text}"
            case WarningSeen(step=step) if step:
                yield from self._held_or_now(step.section, [f"warning: {event.text}"])
            case CostKnown():
                yield lines.cost(event, self._check)
            case RunEnded():
                yield lines.recap(event.outcomes, event.seconds, self._check)
            case StepStarted() | ActionBegun() | ChangeBegun() | ConditionSeen() | Transferred():
                if self._verbose:
                    yield from self._spoken(event)

    def _ended(self, outcome: Outcome) -> Iterator[str]:
        head = lines.headline(outcome)
        yield f"\033[{COLORS[outcome.status]}m{head}\033[0m" if self._color else head
        yield from lines.details(outcome, self._diff)
        yield from (lines.INDENT + line for line in self._held.pop(outcome.section, []))

    def _held_or_now(self, section: str, text: list[str]) -> Iterator[str]:
        """Hold a running step's lines until its end; a port-forward, say, still speaks after that."""
        if self._progress.is_running(section):
            self._held.setdefault(section, []).extend(text)
        else:
            yield from (f"{section:<6} {line}" for line in text)

    def _spoken(self, event: Event) -> Iterator[str]:
        stamp = time.strftime("%H:%M:%S")
        match event:
            case StepStarted():
                yield f"{stamp} {event.step.section} begins: {event.step.name}"
            case ActionBegun():
                yield f"{stamp} {event.step.section} {event.what}"
            case ConditionSeen():
                yield f"{stamp} {event.step.section} {event.text}"
            case ChangeBegun() if event.change.command:
                yield f"{stamp} {event.step.section} $ {one_line(event.change.command)}"
            case _:
                pass


def _below(progress: Progress) -> Below:
    if not sys.stdout.isatty():
        return Heartbeat(progress)
    from runbook.report.live import LiveStatus

    return LiveStatus(progress)
