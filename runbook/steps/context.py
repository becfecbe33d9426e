"""What a running step has at hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from runbook.clients.connections import Connections
from runbook.config.schema import Variables
from runbook.engine.facts import Facts
from runbook.engine.report import StepReport


class StepArguments(BaseModel):
    """The base of every step module's `Arguments`: typed, closed, unchangeable."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _unasked(question: str) -> str:  # noqa: ARG001 - nobody hears it
    return ""


@dataclass(frozen=True)
class Context:
    """A step's surroundings on one run.

    Args:
        environment: the environment's name, such as `rehearsal`.
        variables: the merged variables.
        tree: the same as plain nested values, for templates.
        root: the folder that holds playbooks/, manifests/ and vars/.
        home: the folder that holds .runs/ (RUNBOOK_HOME).
        run_id: this run's name, such as `20261123-154200-1a2b`.
        check: True where nothing may be changed; changes and actions know that by themselves.
        facts: reads that all steps of the line share.
        connections: the clients of the cloud, made when first used.
        report: this step's voice.
        keep: opens a resource that stays open until the line of tasks ends, and returns what it yields.
        pause: waits for some seconds; ends at once, by an exception, when the operator interrupts the run.
        round: counted from 1, where the line has the step more than once.
        choose: asks the operator who pressed Ctrl-C a question; empty where nobody can be asked.
        siblings: arguments of the other steps of this line that use the same step module.
    """

    environment: str
    variables: Variables
    tree: dict[str, Any]
    root: Path
    home: Path
    run_id: str
    check: bool
    facts: Facts
    connections: Connections
    report: StepReport
    keep: Callable[[AbstractContextManager[Any]], Any]
    pause: Callable[[float], None]
    round: int = 1
    choose: Callable[[str], str] = _unasked
    siblings: Sequence[StepArguments] = ()

    @property
    def measurement_id(self) -> str:
        """Name this round's benchmark: as the run, from the second round on with its number."""
        return self.run_id if self.round == 1 else f"{self.run_id}-{self.round}"
