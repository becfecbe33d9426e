"""The gate on simulated series: few false alarms at any variation, and what it can find it finds."""

from __future__ import annotations

import pytest

from benchmarks.gate_simulation import LEVELS, SERIES, rates

QUIET = [level for level in LEVELS if level.name.startswith("floor")]
NOISY = next(level for level in LEVELS if level.name == "noisy machine")


@pytest.mark.parametrize("runs", [3, 5, 10])
@pytest.mark.parametrize("level", LEVELS, ids=lambda level: level.name)
def test_equal_configurations_raise_an_alarm_in_at_most_two_of_a_hundred(level, runs):
    assert SERIES == 200
    assert rates(level, runs).false_alarms <= 0.02


@pytest.mark.parametrize("level", QUIET, ids=lambda level: level.name)
def test_a_slowdown_of_five_percent_is_found_with_three_runs_each(level):
    assert rates(level, 3).found >= 0.95


def test_runs_that_vary_by_a_sixth_cannot_show_it_and_the_gate_neither_guesses_nor_passes():
    seen = rates(NOISY, 10)
    assert seen.found <= 0.05
    assert seen.passed <= 0.02
