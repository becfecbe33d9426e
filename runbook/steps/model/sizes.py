"""Amounts of bytes as people read them."""

from __future__ import annotations

UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def bytes_text(size: int) -> str:
    """Write a number of bytes in the largest unit that gives one or more, such as `60.8 GiB`."""
    amount, unit = float(size), 0
    while amount >= 1024 and unit < len(UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{amount:.1f} {UNITS[unit]}" if unit else f"{size} B"
