"""Without a terminal: plain lines, and every few seconds one for each step that still runs."""

from __future__ import annotations

import threading

from runbook.engine.span import span
from runbook.report.progress import Progress, RunningStep

SECONDS = 10.0


class Heartbeat:
    """Prints lines, and a sign of life while steps run.

    Args:
        progress: the running steps.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._thread.start()

    def print(self, text: str) -> None:
        """Print a line."""
        print(text, flush=True)

    def close(self) -> None:
        """End the signs of life."""
        self._ended.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._ended.wait(SECONDS):
            for step in self._progress.running():
                print(describe(step), flush=True)


def describe(step: RunningStep) -> str:
    """Say what a running step is doing, on one line."""
    return f"... {step.section:<6} {step.name}: {step.seconds:.0f} s{_moved(step)}  {step.condition}".rstrip()


def _moved(step: RunningStep) -> str:
    """Say how many bytes have come, how fast, how long the rest takes, and after how many troubles."""
    done, total = step.transferred
    if not total:
        return ""
    rate = step.rate
    pace = f", {rate / 1e6:.0f} MB/s, {span((total - done) / rate)} left" if rate and done < total else ""
    retries = f", taken up again {step.retries} x" if step.retries else ""
    return f"  {done / 1e6:.0f} of {total / 1e6:.0f} MB{pace}{retries}"
