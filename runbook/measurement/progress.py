"""How far a running benchmark is: by the server's counters, else by what the client and the server log."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from runbook.engine.span import span
from runbook.measurement.asked import Asked
from runbook.measurement.lines import Progress
from runbook.measurement.server import Counters, Load

_ENGINE: Final = re.compile(
    r"Engine (?P<rank>\d+): .*?Avg generation throughput: (?P<rate>[\d.]+) tokens/s, "
    r"Running: (?P<running>\d+) reqs, Waiting: (?P<waiting>\d+) reqs",
    re.ASCII,
)
_WINDOW_S: Final = 30.0
"""The rate is that of so many last seconds: requests come and go in waves."""


@dataclass(frozen=True)
class Logged:
    """What the engines of the servers wrote last, every ten seconds, summed.

    Args:
        rate: tokens of answers a second.
        running: requests that get tokens.
        waiting: requests in the queue.
    """

    rate: float
    running: int
    waiting: int


def logged(texts: Iterable[str]) -> Logged | None:
    """Read the last line of each engine; None where none has written one.

    Args:
        texts: the end of each server's log.
    """
    numbered = [(number, found) for number, text in enumerate(texts) for found in _ENGINE.finditer(text)]
    last = {(number, found["rank"]): found for number, found in numbered}
    if not last:
        return None
    lines = last.values()
    return Logged(
        sum(float(line["rate"]) for line in lines),
        sum(int(line["running"]) for line in lines),
        sum(int(line["waiting"]) for line in lines),
    )


class Pulse:
    """The server's counters as they go up while a benchmark runs.

    Args:
        before: the counters before its Job; None where nobody looked.
        ahead: requests that the client sends before its clock starts: the ready check, and warm-ups.
        asked: what the client was asked for.
    """

    def __init__(self, before: Counters | None, ahead: int, asked: Asked) -> None:
        self._before = before
        self._ahead = ahead
        self._asked = asked
        self._samples: deque[tuple[float, Load]] = deque()

    def take(self, seconds: float, load: Load) -> None:
        """Note what was read.

        Args:
            seconds: when, by any clock that only goes forward.
        """
        if self._samples and load.counters.since(self._samples[-1][1].counters) is None:
            self._samples.clear()  # the server was started anew
        self._samples.append((seconds, load))
        while len(self._samples) > 2 and self._samples[1][0] <= seconds - _WINDOW_S:
            self._samples.popleft()

    def forget(self) -> None:
        """Begin anew: the counters cannot be read for now."""
        self._samples.clear()

    @property
    def load(self) -> Load | None:
        """What was read last."""
        return self._samples[-1][1] if self._samples else None

    @property
    def rate(self) -> float | None:
        """Tokens of answers a second; None before the second look."""
        if len(self._samples) < 2:
            return None
        (began, first), (ended, last) = self._samples[0], self._samples[-1]
        return (last.counters.generated - first.counters.generated) / (ended - began)

    @property
    def done(self) -> Progress | None:
        """Requests that were answered, of all; None where the counters do not tell."""
        since, total = self._since(), self._asked.prompts
        if since is None or total is None:
            return None
        return Progress(int(min(max(since.answered - self._ahead, 0), total)), total)

    @property
    def share(self) -> float | None:
        """The share of the tokens that were generated, 0 to 1; None where that cannot be told."""
        since, total = self._since(), self._tokens()
        if since is None or not total:
            return None
        ahead = self._ahead * (self._asked.output_len or 0)
        return min(max(since.generated - ahead, 0.0) / total, 1.0)

    @property
    def left(self) -> float | None:
        """Seconds that the rest takes at the present rate; None where that cannot be told."""
        rate, share, total = self.rate, self.share, self._tokens()
        return (1 - share) * total / rate if rate and share and total else None

    def _since(self) -> Counters | None:
        load = self.load
        return load.counters.since(self._before) if load and self._before else None

    def _tokens(self) -> int | None:
        asked = self._asked
        return asked.prompts * asked.output_len if asked.prompts and asked.output_len else None


def told(pulse: Pulse, bar: Progress | None, server: Logged | None, *, rehearsal: bool) -> str:
    """Write one line of how far it is; empty where nothing is known.

    Args:
        bar: of the client's log; what counts where the counters do not tell.
        server: of the servers' logs, likewise.
        rehearsal: whether stand-ins measure each other, so that the rate is no TPU's.
    """
    done, load, share = pulse.done or bar, pulse.load, pulse.share
    rate = pulse.rate if load else server.rate if server else None
    running = load or server
    left = span(pulse.left) if pulse.left is not None else bar.left if bar and not pulse.done else ""
    of_tokens = f", {share:.0%} of the tokens" if share is not None else ""
    mark = " (REHEARSAL)" if rehearsal else ""
    parts = (
        f"{done.done} of {done.total} requests{of_tokens}" if done else "",
        f"{rate:,.0f} output tokens/s{mark}" if rate is not None else "",
        f"{running.running:.0f} running, {running.waiting:.0f} waiting" if running else "",
        f"{left} left" if left and done and not done.full else "",
    )
    return "; ".join(part for part in parts if part)
