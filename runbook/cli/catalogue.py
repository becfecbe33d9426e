"""What a line is made from: its variables and the playbooks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from runbook.cli.line import Line
from runbook.config.load import Loaded, load
from runbook.engine.module import ModuleLibrary
from runbook.engine.plan import find_steps
from runbook.engine.playbook import (
    Playbook,
    StepSpec,
    check_needs,
    load_playbook,
    playbook_names,
    refuse_twins,
)
from runbook.engine.rounds import rounds

READING_ORDER = ("setup", "deploy", "smoke", "bench", "cleanup", "teardown", "rollback", "sweep")


def load_variables(line: Line) -> Loaded:
    """Read the line's variables from their layers.

    Raises:
        VariableError: one of them is wrong.
    """
    return load(line.root, line.options.environment, line.options.settings, os.environ)


def load_playbooks(root: Path) -> list[Playbook]:
    """Read and validate all playbooks, the guide's first.

    Raises:
        PlaybookError: one of them is broken.
    """
    folder = root / "playbooks"
    names = sorted(playbook_names(folder), key=_reading_order)
    playbooks = [load_playbook(folder, name) for name in names]
    check_needs(playbooks)
    return playbooks


def wanted_steps(line: Line, playbooks: Sequence[Playbook]) -> Sequence[StepSpec]:
    """List the steps that the line has queued, each once.

    Raises:
        UserError: no step, or no playbook, is called that.
    """
    known = {playbook.name: playbook for playbook in playbooks}
    steps: list[StepSpec] = []
    for name in line.playbooks:
        found = (known.get(name) or load_playbook(line.root / "playbooks", name)).steps
        steps += rounds(found, line.rounds.get(name, 1))
    steps += find_steps(playbooks, line.step_names)
    return refuse_twins(list(dict.fromkeys(steps)))


def module_library() -> ModuleLibrary:
    """Open the step modules that this project brings."""
    return ModuleLibrary("runbook.steps")


def _reading_order(name: str) -> tuple[int, str]:
    return (READING_ORDER.index(name) if name in READING_ORDER else len(READING_ORDER), name)
