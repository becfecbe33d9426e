"""`inv doctor`: what stands in the way, before money is spent and after trouble."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

from runbook.cli import rehearsal
from runbook.cli.catalogue import load_variables
from runbook.cli.surroundings import contexts
from runbook.doctor.finding import Finding
from runbook.engine.events import StepFace
from runbook.engine.facts import Facts
from runbook.engine.interruption import Interruption
from runbook.engine.journal import new_run_id
from runbook.engine.notifier import Notifier, StepVoice

if TYPE_CHECKING:
    from runbook.cli.line import Line
    from runbook.steps.context import Context

FACE = StepFace("doctor", "Doctor", "doctor", ())
TOPIC_WIDTH = 39


def examine(line: Line) -> int:
    """Look at everything that a run needs, then at what runs; change nothing, keep nothing.

    Returns:
        1 if anything failed, else 0.
    """
    from runbook.doctor.diagnosis import diagnose
    from runbook.doctor.preflight.run import examine as preflight

    verdicts = set()
    with _context(line) as context:
        for look in (preflight, diagnose):
            for finding in look(context):
                verdicts.add(finding.verdict)
                print(json.dumps(asdict(finding)) if line.options.json else _text(finding), flush=True)
    return 1 if "failed" in verdicts else 0


@contextmanager
def _context(line: Line) -> Iterator[Context]:
    loaded = load_variables(line)
    if loaded.variables.provider == "rehearsal":
        rehearsal.prepare(line, loaded.variables.rehearsal)
    opening = contexts(line, loaded, new_run_id(), check=True, facts=Facts(), interruption=Interruption())
    with opening as make:
        yield make(StepVoice(FACE, Notifier([])))


def _text(finding: Finding) -> str:
    lines = [f"{finding.verdict:<8} {finding.topic:<{TOPIC_WIDTH}} {finding.fact}"]
    lines += [f"{'':8} | {line}" for line in finding.evidence]
    if finding.remedy:
        lines.append(f"{'':8} -> {finding.remedy}")
    return "\n".join(lines)
