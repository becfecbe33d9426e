"""How often the gate raises a false alarm, finds a slowdown of 5 %, or lets one pass, on simulated runs.

    python -m benchmarks.gate_simulation

Each series is a baseline and a candidate of three runs, drawn from normal distributions. The variation is
what was measured: throughput 0.16 % and TPOT 0.04 % between runs on a quiet machine (a floor), multiples of
both, and the 16 % of a noisy machine; TPOT was not recorded there and is taken to vary as much. A server that
is 5 % slower showed 4.0 % less throughput and 4.3 % more TPOT.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from runbook.measurement.comparison import Side, compare
from runbook.measurement.document import Derived, Document, Verdict

SERIES = 200
TOLERANCE = 0.02
SLOWER = {"output_throughput": 1 - 0.040, "median_tpot_ms": 1 + 0.043}
SAME = {"output_throughput": 1.0, "median_tpot_ms": 1.0}


@dataclass(frozen=True)
class Variation:
    """How much runs of the same configuration differ.

    Args:
        name: where that is so.
        throughput: standard deviation, as a part.
        tpot: likewise.
    """

    name: str
    throughput: float
    tpot: float


LEVELS = (
    Variation("floor", 0.0016, 0.0004),
    Variation("floor x 2", 0.0032, 0.0008),
    Variation("floor x 4", 0.0064, 0.0016),
    Variation("floor x 10", 0.016, 0.004),
    Variation("1 %, both", 0.01, 0.01),
    Variation("3 %, both", 0.03, 0.03),
    Variation("noisy machine", 0.16, 0.16),
)


@dataclass(frozen=True)
class Rates:
    """What came of the series of one level; parts of 1.

    Args:
        false_alarms: regressions between equal configurations.
        found: regressions where the candidate is 5 % slower.
        passed: passes where it is; the rest could not be told.
    """

    false_alarms: float
    found: float
    passed: float


def rates(variation: Variation, baseline_runs: int, *, series: int = SERIES, seed: int = 1) -> Rates:
    """Compare simulated series."""
    chance = random.Random(f"{seed} {variation.name} {baseline_runs}")
    alarms = found = passed = 0
    for _ in range(series):
        before = _side(chance, variation, baseline_runs, SAME)
        alarms += _code(before, _side(chance, variation, 3, SAME)) == 1
        slower = _code(before, _side(chance, variation, 3, SLOWER))
        found += slower == 1
        passed += slower == 0
    return Rates(alarms / series, found / series, passed / series)


def _code(before: Side, after: Side) -> int:
    return compare(before, after, tolerance=TOLERANCE).exit_code


def _side(chance: random.Random, variation: Variation, runs: int, speed: dict[str, float]) -> Side:
    return Side("simulated", tuple(_run(chance, variation, speed) for _ in range(runs)))


def _run(chance: random.Random, variation: Variation, speed: dict[str, float]) -> Document:
    result = {
        "output_throughput": 6000 * speed["output_throughput"] * chance.gauss(1, variation.throughput),
        "median_tpot_ms": 40 * speed["median_tpot_ms"] * chance.gauss(1, variation.tpot),
    }
    return Document(
        id="simulated",
        run_id="simulated",
        environment="simulation",
        started=0,
        rehearsal=True,
        verdict=Verdict(name="ok"),
        fingerprint={},
        result=result,
        derived=Derived(),
        client=None,
        job="",
        arguments=(),
        full_precision=True,
    )


def _table() -> Iterator[str]:
    head = ("variation", "throughput", "TPOT", "baseline", "false alarms", "5 % found", "5 % passed")
    yield "{:<16} {:>10} {:>8} {:>9} {:>13} {:>10} {:>11}".format(*head)
    for level in LEVELS:
        for runs in (3, 5, 10, 20):
            seen = rates(level, runs)
            yield (
                f"{level.name:<16} {level.throughput:>10.2%} {level.tpot:>8.2%} {runs:>4} runs "
                f"{seen.false_alarms:>13.1%} {seen.found:>10.1%} {seen.passed:>11.1%}"
            )


if __name__ == "__main__":
    for line in _table():
        print(line, flush=True)
