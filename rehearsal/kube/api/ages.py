"""Points in time, and how long ago they are in kubectl's words."""

from __future__ import annotations

from datetime import UTC, datetime

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def parse_time(text: str) -> datetime:
    """Read a time as Kubernetes writes it."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def age(since: str | None) -> str:
    """Say how long ago something was: `45s`, `5m3s`, `12h`, `3d`."""
    if not since:
        return "<unknown>"
    return human_duration((datetime.now(UTC) - parse_time(since)).total_seconds())


def human_duration(seconds: float) -> str:
    """Shorten a duration as kubectl does: two units while it is short, one when it is long."""
    whole = max(int(seconds), 0)
    for limit, unit, unit_name, below, below_name in (
        (10 * _MINUTE, _MINUTE, "m", 1, "s"),
        (3 * _HOUR, _MINUTE, "m", None, ""),
        (8 * _HOUR, _HOUR, "h", _MINUTE, "m"),
        (2 * _DAY, _HOUR, "h", None, ""),
        (8 * _DAY, _DAY, "d", _HOUR, "h"),
    ):
        if whole < 2 * _MINUTE:
            return f"{whole}s"
        if whole < limit:
            rest = whole % unit // below if below else 0
            return f"{whole // unit}{unit_name}" + (f"{rest}{below_name}" if rest else "")
    return f"{whole // _DAY}d"
