"""Ctrl-C while a benchmark is followed: the Job goes on in the cluster, unless the operator wants it gone."""

from __future__ import annotations

from typing import Final

from runbook.clients.kube.objects import Reference
from runbook.engine.errors import InterruptedRunError
from runbook.engine.shell import one_line
from runbook.steps.bench.joining import deletion
from runbook.steps.context import Context
from runbook.steps.kube.cluster import client

_DELETE: Final = frozenset({"d", "delete"})


def leave(context: Context, reference: Reference) -> InterruptedRunError:
    """Ask what becomes of a Job, where somebody can be asked; give the error that ends the step.

    Args:
        reference: the Job that was followed.
    """
    answer = context.choose(f"{reference} goes on in the cluster. Keep it, or delete it? [K/d]")
    if answer.casefold() in _DELETE:
        client(context).delete(reference)
        return InterruptedRunError(
            f"interrupted; {reference} was deleted", remedy="the same line begins another one"
        )
    stop = one_line(deletion(context, reference.name))
    return InterruptedRunError(
        f"interrupted; {reference} goes on in the cluster",
        remedy="`inv bench` with the same variables joins it, `inv step 5.2` keeps its result once it has "
        f"ended; to end it: {stop}",
    )
