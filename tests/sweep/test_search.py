"""The search on servers whose knee is known: near enough, and in few runs."""

from __future__ import annotations

import pytest

from runbook.measurement.search import Search, bracket, next_load
from runbook.measurement.statistics import wilson

SERIES = (1, 8, 64, 256)


def searched(knee: int, search: Search) -> dict[int, bool]:
    """Measure what the search asks for, on a server that keeps the objective up to its knee."""
    measured: dict[int, bool] = {}
    while (load := next_load(measured, search)) is not None:
        assert load not in measured
        measured[load] = load <= knee
    return measured


def test_every_knee_within_the_series_is_found_within_five_percent_in_at_most_twelve_runs():
    for knee in range(1, 256):
        measured = searched(knee, Search(SERIES, 0.05, 12))
        assert len(measured) <= 12, knee
        assert knee / 1.05 <= (bracket(measured).keeps or 0) <= knee


def test_the_series_is_measured_whole_and_first():
    assert list(searched(3, Search(SERIES, 0.05, 12)))[:4] == list(SERIES)


def test_a_server_that_keeps_it_at_no_load_is_asked_for_one_request_at_a_time_before_it_is_said():
    assert list(searched(0, Search((8, 64), 0.05, 12))) == [8, 64, 1]


def test_a_knee_below_the_series_is_found_too():
    assert bracket(searched(5, Search((8, 64), 0.05, 12))).keeps == 5


def test_a_server_that_keeps_it_at_every_load_is_not_bracketed():
    found = bracket(searched(1000, Search(SERIES, 0.05, 12)))
    assert (found.keeps, found.fails) == (256, None)


def test_the_search_ends_where_its_runs_are_used_up():
    assert len(searched(100, Search(SERIES, 0.001, 6))) == 6


@pytest.mark.parametrize(
    ("met", "of", "low", "high"),
    [(10, 10, 0.7225, 1.0), (0, 10, 0.0, 0.2775), (50, 100, 0.4038, 0.5962), (99, 100, 0.9455, 0.9982)],
)
def test_a_share_is_known_between_wilsons_bounds(met, of, low, high):
    assert wilson(met, of) == pytest.approx((low, high), abs=5e-5)
