"""Two sides of a comparison: medians over their runs, what changed, and whether that is a regression."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from runbook.measurement.document import Document
from runbook.measurement.likeness import Likeness, Unlike, likeness
from runbook.measurement.statistics import ENOUGH_RUNS, threshold

Outcome = Literal[
    "improvement",
    "no difference",
    "regression",
    "insufficient baseline",
    "insufficient precision",
    "not alike",
]
Judgement = Literal["improvement", "no difference", "regression", "not judged"]

GATED: Final = {"output_throughput": True, "median_tpot_ms": False}
"""What decides, and whether more of it is better: both show a slower server and vary least between runs."""
PER_CHIP: Final = "output_tokens_per_s_per_chip"
_THROUGHPUTS: Final = ("total_token_throughput", "request_throughput", "request_goodput")
_LATENCY: Final = re.compile(r"(?:median|p[0-9.]+)_(?:ttft|tpot|itl|e2el)_ms")
_WIDE: Final = 0.05
"""A slowdown that a pass must rule out: where neither figure could show it, nothing has passed."""
_PASSES: Final = ("improvement", "no difference")


@dataclass(frozen=True)
class Side:
    """The runs that stand for one side.

    Args:
        name: what the operator called it.
        runs: sound ones of one configuration, the oldest first.
        left_out: ids of runs that are no measurement, with their verdicts.
    """

    name: str
    runs: tuple[Document, ...]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Delta:
    """A figure on both sides.

    Args:
        key: the client's name of it.
        baseline: median over the runs.
        candidate: likewise.
        change: candidate over baseline, less 1; None where the baseline is 0.
        threshold: the change from which on it counts; None where it does not decide.
        judgement: what the change amounts to.
    """

    key: str
    baseline: float
    candidate: float
    change: float | None
    threshold: float | None = None
    judgement: Judgement = "not judged"


@dataclass(frozen=True)
class Comparison:
    """What came of it.

    Args:
        outcome: in words.
        baseline: one side.
        candidate: the other.
        deltas: what decides first.
        compared: differences that the comparison is about.
        refused: differences that make it meaningless.
        notes: what the reader should know of the outcome.
    """

    outcome: Outcome
    baseline: Side
    candidate: Side
    deltas: tuple[Delta, ...]
    compared: tuple[Unlike, ...]
    refused: tuple[Unlike, ...]
    notes: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """Judge as a process: 0 no regression, 1 a regression, 2 it cannot be told, or not alike."""
        if self.outcome in _PASSES:
            return 0
        return 1 if self.outcome == "regression" else 2


def compare(
    baseline: Side, candidate: Side, *, tolerance: float, allowed: Collection[str] = ()
) -> Comparison:
    """Compare two sides.

    Args:
        baseline: may be without runs.
        candidate: with one run at least.
        tolerance: the smallest change that counts, such as 0.02.
        allowed: keys of the fingerprint that may differ beside the server's.
    """
    if not baseline.runs:
        note = "there is no run to compare with"
        return Comparison("insufficient baseline", baseline, candidate, (), (), (), (note,))
    alike = likeness(baseline.runs[-1], candidate.runs[-1], allowed)
    enough = len(baseline.runs) >= ENOUGH_RUNS and not alike.refused
    deltas = tuple(_deltas(baseline.runs, candidate.runs, tolerance if enough else None))
    short: Outcome = "not alike" if alike.refused else "insufficient baseline"
    return Comparison(
        _outcome(deltas, tolerance) if enough else short,
        baseline,
        candidate,
        deltas,
        alike.compared,
        alike.refused,
        tuple(_notes(alike, baseline, deltas)),
    )


def _deltas(
    baseline: Sequence[Document], candidate: Sequence[Document], tolerance: float | None
) -> Iterator[Delta]:
    for key in _keys((*baseline, *candidate)):
        before, after = _values(baseline, key), _values(candidate, key)
        if len(before) < len(baseline) or len(after) < len(candidate):
            continue  # a figure that only some runs have is no figure of the side
        middle, reached = statistics.median(before), statistics.median(after)
        change = reached / middle - 1 if middle else None
        if tolerance is None or change is None or key not in GATED:
            yield Delta(key, middle, reached, change)
            continue
        limit = threshold(before, after, tolerance)
        yield Delta(key, middle, reached, change, limit, _judged(change, limit, more_is_better=GATED[key]))


def _judged(change: float, limit: float, *, more_is_better: bool) -> Judgement:
    if abs(change) <= limit:
        return "no difference"
    return "improvement" if (change > 0) == more_is_better else "regression"


def _outcome(deltas: Sequence[Delta], tolerance: float) -> Outcome:
    found = {delta.judgement for delta in deltas}
    if "regression" in found:
        return "regression"
    if "improvement" in found:
        return "improvement"
    return "insufficient precision" if _finest(deltas) > max(_WIDE, tolerance) else "no difference"


def _finest(deltas: Sequence[Delta]) -> float:
    """Give the smallest change that one of the figures that decide would show."""
    return min((delta.threshold for delta in deltas if delta.threshold is not None), default=math.inf)


def _notes(alike: Likeness, baseline: Side, deltas: Sequence[Delta]) -> Iterator[str]:
    enough = len(baseline.runs) >= ENOUGH_RUNS
    if not enough and not alike.refused:
        yield f"{len(baseline.runs)} runs of the baseline count, {ENOUGH_RUNS} are needed: nothing is judged"
    if alike.instrument:
        yield (
            "the client changed with the server's image: part of a change may be the client's; "
            "bench.image pins it"
        )
    if enough and not alike.refused:
        yield from _blindness(_finest(deltas))


def _blindness(finest: float) -> Iterator[str]:
    if finest == math.inf:
        yield f"nothing is judged: {' and '.join(GATED)} are not on both sides"
    elif finest > _WIDE:
        yield (
            f"a change below {finest:.0%} does not count, or cannot be told from chance: "
            f"a slowdown of {_WIDE:.0%} would not be seen"
        )


def _keys(documents: Sequence[Document]) -> list[str]:
    found = dict.fromkeys(key for document in documents for key in document.result)
    latencies = [key for key in found if _LATENCY.fullmatch(key) and key not in GATED]
    return [*GATED, PER_CHIP, *(key for key in _THROUGHPUTS if key in found), *latencies]


def _values(documents: Sequence[Document], key: str) -> list[float]:
    found = [
        document.derived.output_tokens_per_s_per_chip if key == PER_CHIP else document.result.get(key)
        for document in documents
    ]
    return [value for value in found if value is not None]
