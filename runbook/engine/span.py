"""How long something takes, as people read it; the same in every line."""

from __future__ import annotations


def span(seconds: float) -> str:
    """Write a span of time in its two largest units, such as `1h05m`, `3m20s` or `12 s`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02d}m"
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest} s"
