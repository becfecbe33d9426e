"""How large a change between runs must be, to be more than the runs' own variation.

Runs are compared, not requests: requests of one run are correlated, and a test over them calls runs of the
same configuration different.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Final

ENOUGH_RUNS: Final = 3
"""Runs of a baseline below which nothing is judged."""
LEARNT_RUNS: Final = 5
"""Runs from which on the median deviation counts; of fewer it is next to nothing."""
_ROBUST: Final = 1.4826
"""A normal distribution's standard deviation, in median absolute deviations."""
_FAR: Final = 7.0
"""A run further from the median than so many robust deviations is drawn in: one bad day hides no slowdown."""
_MEDIANS: Final = 1.2
"""What a median varies more than a mean, of the few runs that there are."""
_STUDENT: Final = {1: 31.82, 2: 6.965, 3: 4.541, 4: 3.747, 5: 3.365}
_NORMAL: Final = 2.326
_TWO_SIDED: Final = 1.96


def median_deviation(values: Sequence[float]) -> float:
    """Give the median absolute deviation, scaled to a normal distribution's standard deviation."""
    middle = statistics.median(values)
    return _ROBUST * statistics.median(abs(value - middle) for value in values)


def threshold(baseline: Sequence[float], candidate: Sequence[float], tolerance: float) -> float:
    """Give the change of the median, as a part of the baseline's, from which on it counts.

    The largest of three: the tolerance; three robust deviations of a baseline of five runs or more; and what
    medians of so few runs differ by in one of a hundred comparisons, by the variation seen on both sides. The
    last keeps few noisy runs from raising an alarm: five of them often lie close together by chance.

    Args:
        baseline: at least two values above 0.
        candidate: at least one.
        tolerance: a part, such as 0.02.
    """
    middle = statistics.median(baseline)
    learnt = 3 * median_deviation(baseline) if len(baseline) >= LEARNT_RUNS else 0.0
    freedom = len(baseline) + len(candidate) - 2
    between = math.sqrt(1 / len(baseline) + 1 / len(candidate))
    chance = _MEDIANS * _one_in_a_hundred(freedom) * _pooled(baseline, candidate) * between
    return max(tolerance, learnt / middle, chance / middle)


def _pooled(*sides: Sequence[float]) -> float:
    squares = sum((value - statistics.fmean(side)) ** 2 for side in map(_drawn_in, sides) for value in side)
    return math.sqrt(squares / sum(len(side) - 1 for side in sides))


def _drawn_in(values: Sequence[float]) -> Sequence[float]:
    if len(values) < LEARNT_RUNS:
        return values
    middle, far = statistics.median(values), _FAR * median_deviation(values)
    return [min(max(value, middle - far), middle + far) for value in values]


def _one_in_a_hundred(freedom: int) -> float:
    """Give Student's t that is passed on one side with probability 0.01 (Abramowitz and Stegun, 26.7.5)."""
    if freedom in _STUDENT:
        return _STUDENT[freedom]
    z = _NORMAL
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)


def wilson(met: int, of: int) -> tuple[float, float]:
    """Give the interval in which a share lies with probability 0.95 (Wilson 1927).

    Args:
        met: how many did.
        of: how many there were; at least 1.
    """
    share, square = met / of, _TWO_SIDED**2
    middle = (share + square / (2 * of)) / (1 + square / of)
    reach = _TWO_SIDED * math.sqrt(share * (1 - share) / of + square / (4 * of**2)) / (1 + square / of)
    return max(0.0, middle - reach), min(1.0, middle + reach)
