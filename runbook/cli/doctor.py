"""`inv doctor`: what stands in the way, before money is spent and after trouble."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from runbook.cli.reading import reading
from runbook.doctor.finding import Finding

if TYPE_CHECKING:
    from runbook.cli.line import Line

TOPIC_WIDTH = 39


def examine(line: Line) -> int:
    """Look at everything that a run needs, then at what runs; change nothing, keep nothing.

    Returns:
        1 if anything failed, else 0.
    """
    from runbook.doctor.diagnosis import diagnose
    from runbook.doctor.preflight.run import examine as preflight

    verdicts = set()
    with reading(line, "doctor", []) as context:
        for look in (preflight, diagnose):
            for finding in look(context):
                verdicts.add(finding.verdict)
                print(json.dumps(asdict(finding)) if line.options.json else _text(finding), flush=True)
    return 1 if "failed" in verdicts else 0


def _text(finding: Finding) -> str:
    lines = [f"{finding.verdict:<8} {finding.topic:<{TOPIC_WIDTH}} {finding.fact}"]
    lines += [f"{'':8} | {line}" for line in finding.evidence]
    if finding.remedy:
        lines.append(f"{'':8} -> {finding.remedy}")
    return "\n".join(lines)
