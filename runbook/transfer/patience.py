"""How long a broken transfer is tried again, and with which pauses."""

from __future__ import annotations

import random

from runbook.engine.errors import PassingError

MOST_FAILURES = 10
"""Failures in a row, without a byte between them, after which a file is given up: some two minutes."""
LEAST_PAUSE_S = 0.25
MOST_PAUSE_S = 30.0


def seconds_after(trouble: PassingError, failures: int) -> float:
    """Tell how long to wait before the next try: as the service asks, or longer each time.

    Args:
        failures: in a row.
    """
    if trouble.retry_after is not None:
        return max(trouble.retry_after, LEAST_PAUSE_S)
    jitter = random.uniform(0.5, 1.5)  # noqa: S311 - no secret
    return min(MOST_PAUSE_S, 0.25 * 2.0**failures) * jitter
