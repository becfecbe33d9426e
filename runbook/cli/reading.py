"""What a task that only reads has at hand: one Context, with no lock, no run and no journal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from runbook.cli import rehearsal
from runbook.cli.catalogue import load_variables
from runbook.cli.surroundings import contexts
from runbook.engine.errors import MissingError
from runbook.engine.events import Observer, StepFace
from runbook.engine.facts import Facts
from runbook.engine.interruption import Interruption
from runbook.engine.journal import new_run_id
from runbook.engine.notifier import Notifier, StepVoice

if TYPE_CHECKING:
    from runbook.cli.line import Line
    from runbook.steps.context import Context


@contextmanager
def reading(line: Line, task: str, observers: Sequence[Observer]) -> Iterator[Context]:
    """Open the clients of a line for one task; what it opened is closed at the end.

    Args:
        line: its environment and settings count.
        task: its name, which events carry.
        observers: get what is told meanwhile.

    Raises:
        MissingError: the cluster or the server is not there; it says what makes it.
    """
    loaded = load_variables(line)
    if loaded.variables.provider == "rehearsal":
        rehearsal.prepare(line, loaded.variables.rehearsal, check=True)
    face = StepFace(task, task.capitalize(), task, ())
    opening = contexts(line, loaded, new_run_id(), check=True, facts=Facts(), interruption=Interruption())
    with opening as make:
        try:
            yield make(StepVoice(face, Notifier(observers)))
        except MissingError as error:
            error.remedy = error.remedy or _made_by(error.supplied_by)
            raise


def _made_by(module: str) -> str:
    return "run `inv deploy`" if module == "kube.apply" else "run `inv setup deploy`"
