"""How the page writes numbers, durations, moments and ends."""

from __future__ import annotations

import json
import math
from datetime import datetime
from typing import Any

MINUTE = 60
HOUR = 3600
EXITS = {0: "done", 1: "failed", 2: "changes pending"}


def number(value: float | None) -> str:
    """Write a figure with four significant digits, thousands apart; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return "-"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    digits = 3 - math.floor(math.log10(abs(value)))
    return f"{value:,.{min(max(digits, 0), 6)}f}"


def duration(seconds: float | None) -> str:
    """Write how long something took."""
    if seconds is None:
        return "-"
    if seconds < MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), MINUTE)
    if seconds < HOUR:
        return f"{minutes} min {rest} s"
    return f"{minutes // MINUTE} h {minutes % MINUTE} min"


def moment(epoch: float) -> str:
    """Write a moment in local time, with the zone.

    Args:
        epoch: seconds since 1970.
    """
    return f"{datetime.fromtimestamp(epoch).astimezone():%Y-%m-%d %H:%M:%S %Z}"


def day(epoch: float) -> str:
    """Write a moment briefly, as the axis of a chart wants it."""
    return f"{datetime.fromtimestamp(epoch).astimezone():%m-%d %H:%M}"


def percent(change: float) -> str:
    """Write a relative change, such as `+3.1 %`.

    Args:
        change: 0.031 for that.
    """
    return f"{change * 100:+.1f} %".replace("-", "\N{MINUS SIGN}")


def end(exit_code: int | None) -> str:
    """Name how a run ended."""
    return "did not end" if exit_code is None else EXITS.get(exit_code, f"exit code {exit_code}")


def value(thing: Any) -> str:
    """Write one side of a difference."""
    if thing is None:
        return "absent"
    return thing if isinstance(thing, str) else json.dumps(thing, ensure_ascii=False)
