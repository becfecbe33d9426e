"""Waiting until objects are gone, and saying what holds them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from runbook.clients.kube.objects import Object, Reference
from runbook.engine.errors import FailedError
from runbook.steps.context import Context
from runbook.steps.kube.cluster import client

DEADLINE_SECONDS: Final = 600.0
_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 5.0


def pauses() -> Iterator[float]:
    """Give the seconds between two looks: short at first, growing to five."""
    pause = _FIRST_PAUSE
    while True:
        yield pause
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def wait_until_gone(context: Context, references: Iterable[Reference]) -> None:
    """Wait until objects that are being deleted have gone.

    Raises:
        FailedError: one is still there after ten minutes; the message says what holds it.
    """
    deadline = time.monotonic() + DEADLINE_SECONDS
    waiting = list(references)
    for pause in pauses():
        held = [found for reference in waiting if (found := client(context).get(reference)) is not None]
        if not held:
            return
        context.report.condition(f"waiting for {_names(held)}")
        if time.monotonic() > deadline:
            raise FailedError(f"still there after {DEADLINE_SECONDS:.0f} s: {_reasons(held)}")
        context.pause(pause)


def _names(objects: Sequence[Object]) -> str:
    return ", ".join(Reference.to(found).short for found in objects)


def _reasons(objects: Sequence[Object]) -> str:
    finalizers = {Reference.to(found): found["metadata"].get("finalizers", []) for found in objects}
    return "; ".join(f"{name} is held by {', '.join(held) or '?'}" for name, held in finalizers.items())
