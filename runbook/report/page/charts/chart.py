"""A chart before it is drawn: what it shows, in words and as a table, and how to draw it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure


@dataclass(frozen=True)
class Chart:
    """One chart, drawn for a wide screen and for a phone.

    Args:
        name: of its files, and the beginning of its ids.
        title: what it shows.
        description: the same in a sentence, for who does not see it.
        headers: of the table that holds what it shows.
        rows: the table.
        draw: draws it; the second argument tells whether for a phone.
        height: in inches, wide.
        narrow_height: in inches, on a phone.
    """

    name: str
    title: str
    description: str
    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    draw: Callable[[Figure, bool], None]
    height: float = 2.9
    narrow_height: float = 2.9
