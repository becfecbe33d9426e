"""A progress bar as tqdm draws it: one line of stderr, written over and over after a carriage return."""

from __future__ import annotations

import os
import sys
import time

WIDTH = 10
EIGHTHS = " ▏▎▍▌▋▊▉█"


class Progress:
    """A bar that counts to a total.

    Args:
        total: at which it is full.
        shown: False draws nothing (--disable-tqdm).
    """

    def __init__(self, total: int, *, shown: bool) -> None:
        self._total = total
        self._shown = shown
        self._done = 0
        self._started = self._drawn = time.monotonic()
        self._interval = float(os.environ.get("TQDM_MININTERVAL") or 0.1)
        self._draw()

    def advance(self) -> None:
        """Count one more; drawn only when the last time is a while ago."""
        self._done += 1
        if time.monotonic() - self._drawn >= self._interval:
            self._draw()

    def close(self) -> None:
        """Draw the last state and end the line."""
        self._draw()
        if self._shown:
            sys.stderr.write("\n")
            sys.stderr.flush()

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        if self._shown:
            sys.stderr.write(f"\r{self._text(self._drawn - self._started)}")
            sys.stderr.flush()

    def _text(self, elapsed: float) -> str:
        rate = self._done / elapsed if self._done and elapsed else 0.0
        remaining = _clock((self._total - self._done) / rate) if rate else "?"
        share = self._done / self._total if self._total else 1.0
        speed = "?it/s" if not rate else f"{rate:5.2f}it/s" if rate >= 1 else f"{1 / rate:5.2f}s/it"
        counted = f"{self._done}/{self._total}"
        return f"{share:4.0%}|{_bar(share)}| {counted} [{_clock(elapsed)}<{remaining}, {speed}]"


def waiting_text(elapsed: float, timeout: float) -> str:
    """The bar of the ready check, which counts seconds."""
    remaining = _clock(timeout - elapsed) if elapsed else "?"
    return f" |{_bar(min(1.0, elapsed / timeout))}| {_clock(elapsed)} elapsed, {remaining} remaining"


def _bar(share: float) -> str:
    full, eighth = divmod(int(share * WIDTH * 8), 8)
    return (EIGHTHS[-1] * full + (EIGHTHS[eighth] if full < WIDTH else "")).ljust(WIDTH)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes:02d}:{rest:02d}"
