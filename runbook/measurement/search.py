"""The search for the highest load that keeps an objective: a series first, then bisection."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Search:
    """What is searched, and how closely.

    Args:
        series: loads that are measured first, ascending.
        precision: the search ends where the lowest load that fails is so little above the highest that does
            not, such as 0.05.
        most_runs: measurements in all.
    """

    series: Sequence[int]
    precision: float
    most_runs: int


@dataclass(frozen=True)
class Bracket:
    """Between which loads the answer lies.

    Args:
        keeps: the highest load that keeps the objective; None where none was found.
        fails: the lowest load above it that does not; None where none was found.
    """

    keeps: int | None
    fails: int | None


def bracket(measured: Mapping[int, bool]) -> Bracket:
    """Bracket the answer.

    Args:
        measured: whether a load keeps the objective. A load that fails below one that keeps it is chance, or
            the server's first minutes, and counts for nothing.
    """
    keeps = max((load for load, kept in measured.items() if kept), default=None)
    fails = min((load for load, kept in measured.items() if not kept and load > (keeps or 0)), default=None)
    return Bracket(keeps, fails)


def next_load(measured: Mapping[int, bool], search: Search) -> int | None:
    """Choose the load to measure next; None where the search has come to its end.

    Loads are halved by ratio, as a server's knee is as likely between 8 and 16 as between 80 and 160.
    """
    if len(measured) >= search.most_runs:
        return None
    for load in search.series:
        if load not in measured:
            return load
    found = bracket(measured)
    if found.fails is None:
        return None
    if found.keeps is None:
        return 1 if found.fails > 1 else None
    if found.fails - found.keeps == 1 or found.fails <= found.keeps * (1 + search.precision):
        return None
    middle = round(math.sqrt(found.keeps * found.fails))
    return min(max(middle, found.keeps + 1), found.fails - 1)
