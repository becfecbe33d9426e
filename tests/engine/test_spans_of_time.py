"""Spans of time are written in their two largest units."""

from __future__ import annotations

import pytest

from runbook.engine.span import span


@pytest.mark.parametrize(
    ("seconds", "text"), [(8.4, "8 s"), (200, "3m20s"), (3900, "1h05m"), (59.7, "1m00s"), (119.7, "2m00s")]
)
def test_the_two_largest_units_are_told(seconds: float, text: str) -> None:
    assert span(seconds) == text
