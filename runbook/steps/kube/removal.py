"""Waiting until objects are gone, and saying what holds them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final

from runbook.clients.kube.objects import Object, Reference
from runbook.clients.kube.watching import View, viewing
from runbook.engine.errors import PassingError
from runbook.steps.context import Context
from runbook.steps.kube.cluster import client
from runbook.steps.kube.holding import holding
from runbook.steps.kube.polling import poll, until_news

DEADLINE_SECONDS: Final = 600.0


def wait_until_gone(context: Context, references: Iterable[Reference]) -> None:
    """Wait until objects that are being deleted have gone.

    Raises:
        FailedError: one is still there after ten minutes; the message says what holds it.
    """
    held: list[Object] = []
    with viewing(client(context)) as view:
        poll(
            context,
            partial(_look, context, view, list(references), held),
            limit_seconds=DEADLINE_SECONDS,
            late=lambda: f"still there after {DEADLINE_SECONDS:.0f} s: {_reasons(context, held)}",
            rest=until_news(context, view),
        )


def _look(context: Context, view: View, references: Sequence[Reference], held: list[Object]) -> bool | None:
    """Note which objects are still there; tell when none is."""
    held[:] = [found for reference in references if (found := view.get(reference)) is not None]
    if not held:
        return True
    context.report.condition(f"waiting for {_names(held)}")
    return None


def _names(objects: Sequence[Object]) -> str:
    return ", ".join(Reference.to(found).short for found in objects)


def _reasons(context: Context, objects: Sequence[Object]) -> str:
    """Say what holds objects, as far as anybody answers."""
    kube = client(context)
    try:
        return "; ".join(holding(kube, found) for found in objects)
    except PassingError as error:
        return f"{_names(objects)}; what holds them is not known: {error.message}"
