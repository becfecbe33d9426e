"""`inv doctor`: what stands in the way, before money is spent and after trouble."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from runbook.cli.line import Line
from runbook.config.schema import Variables
from runbook.engine.events import Event, StepEnded
from runbook.engine.outcome import Outcome, Status

PREFLIGHT = ("setup", "deploy")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Args:
        topic: what was looked at.
        verdict: `failed` ends with exit code 1.
        fact: what was found.
        remedy: what to do, where something should be done.
    """

    topic: str
    verdict: Literal["ok", "warning", "failed"]
    fact: str
    remedy: str = ""


def examine(line: Line) -> int:
    """Look at this machine, then at everything that `setup deploy` would look at; change nothing.

    Returns:
        1 if anything failed, else 0.
    """
    from runbook.cli.catalogue import load_variables

    found = [*_machine(load_variables(line).variables), *_cloud(line)]
    for finding in found:
        print(json.dumps(asdict(finding)) if line.options.json else _text(finding))
    return 1 if any(finding.verdict == "failed" for finding in found) else 0


def _machine(variables: Variables) -> Iterator[Finding]:
    yield _program("gcloud", needed=variables.provider == "gke", use="it logs in; the guide's commands")
    yield _program("kubectl", needed=False, use="the guide's commands; the runbook works without it")
    yield _port(variables.smoke.local_port)


def _program(name: str, needed: bool, use: str) -> Finding:
    path = shutil.which(name)
    if path:
        return Finding(name, "ok", path)
    return Finding(name, "failed" if needed else "warning", "not found in PATH", f"install it ({use})")


def _port(port: int) -> Finding:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return Finding(
                f"port {port}", "warning", "taken by another program", "4.4 takes the next free port"
            )
    return Finding(f"port {port}", "ok", "free for the port-forward of 4.4")


class _Collector:
    """An observer that keeps the steps' outcomes."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []

    def notify(self, event: Event) -> None:
        if isinstance(event, StepEnded):
            self.outcomes.append(event.outcome)


def _cloud(line: Line) -> Iterator[Finding]:
    from runbook.cli.run import check_quietly

    collector = _Collector()
    for name in PREFLIGHT:
        line.add_playbook(name)
    check_quietly(line, collector)
    line.playbooks.clear()
    yield from map(_finding, sorted(collector.outcomes, key=lambda outcome: outcome.section))


def _finding(outcome: Outcome) -> Finding:
    topic = f"{outcome.section} {outcome.name}"
    match outcome.status:
        case Status.FAILED:
            return Finding(topic, "failed", outcome.reason, (outcome.error and outcome.error.remedy) or "")
        case Status.WOULD_CHANGE:
            paths = ", ".join(item.path for change in outcome.changes for item in change.differences)
            return Finding(topic, "warning", f"not as it should be: {paths}", f"inv step {outcome.section}")
        case Status.SKIPPED if outcome.reason.startswith("needs "):
            return Finding(topic, "warning", f"not looked at: {outcome.reason}")
        case Status.UNKNOWN:
            return Finding(topic, "warning", f"unknown until {outcome.reason}", f"inv step {outcome.reason}")
        case _:
            return Finding(topic, "ok", outcome.reason)


def _text(finding: Finding) -> str:
    remedy = f"  -> {finding.remedy}" if finding.remedy else ""
    return f"{finding.verdict:<8} {finding.topic:<46} {finding.fact}{remedy}"
