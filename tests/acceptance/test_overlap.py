"""Independent chains run at the same time: the wall time is that of the longest chain."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def longest_chain(document: dict[str, Any]) -> float:
    """Add up the seconds along the slowest chain of needs, from the run's journal."""
    seconds = {outcome["section"]: outcome["seconds"] for outcome in document["outcomes"]}
    needs = {step["section"]: step["needs"] for step in document["steps"]}
    total: dict[str, float] = {}
    for section, first in needs.items():
        total[section] = seconds[section] + max((total[need] for need in first), default=0.0)
    return max(total.values())


def test_the_wall_time_is_at_most_a_fifth_over_the_longest_chain(operator):
    ended = operator.inv("setup", "deploy", "--set", "rehearsal.time_scale=0.01")
    assert ended.code == 0, ended.out + ended.error
    (journal,) = (operator.home / ".runs").glob("*/run.json")
    document = json.loads(journal.read_text())
    assert sum(outcome["seconds"] for outcome in document["outcomes"]) > longest_chain(document)
    assert document["seconds"] <= 1.2 * longest_chain(document)
