"""Looking again and again until something is so, past failures that may pass by themselves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from runbook.clients.kube.watching import View
from runbook.engine.errors import FailedError, PassingError
from runbook.steps.context import Context

T = TypeVar("T")

_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 5.0
_LONGEST_REST: Final = 1.0
_SLICE: Final = 0.1


def poll(
    context: Context,
    look: Callable[[], T | None],
    *,
    limit_seconds: float,
    late: Callable[[], str],
    rest: Callable[[float], object] | None = None,
) -> T:
    """Look until something is found; give what was found.

    A PassingError of a look is told as the condition, and is no end: the API server may be upgraded then.

    Args:
        look: gives None where one has to look again.
        limit_seconds: how long to look.
        late: says what was awaited, when the time is over.
        rest: waits between two looks, for at most so many seconds; None: nothing else is awaited.

    Raises:
        FailedError: the time is over.
    """
    deadline = time.monotonic() + limit_seconds
    for pause in _pauses():
        trouble, resting = "", rest or context.pause
        try:
            found = look()
            if found is not None:
                return found
        except PassingError as error:
            trouble = f"; {error.message}"
            context.report.condition(f"asking again: {error.message}")
            pause, resting = max(pause, error.retry_after or 0.0), context.pause  # noqa: PLW2901 - longer
        if time.monotonic() > deadline:
            raise FailedError(late() + trouble)
        resting(pause)
    raise AssertionError  # the pauses never end


def until_news(context: Context, view: View) -> Callable[[float], None]:
    """Give what waits between two looks at a view: until it has news, and a second at most.

    Args:
        context: ends it where the operator interrupts the run.
        view: what is looked at.
    """

    def rest(seconds: float) -> None:
        deadline = time.monotonic() + min(seconds, _LONGEST_REST)
        while not view.wait(_SLICE) and time.monotonic() < deadline:
            context.pause(0)

    return rest


def _pauses() -> Iterator[float]:
    """Give the seconds between two looks: short at first, growing to five."""
    pause = _FIRST_PAUSE
    while True:
        yield pause
        pause = min(pause * 1.5, _LONGEST_PAUSE)
