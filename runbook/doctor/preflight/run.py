"""Goes through the checks, all at the same time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from runbook.doctor.finding import Finding
from runbook.doctor.preflight.check import Check
from runbook.doctor.preflight.table import CHECKS
from runbook.engine.errors import PassingError, RunbookError
from runbook.steps.context import Context

Answered = Future[list[Finding]]


def examine(context: Context) -> list[Finding]:
    """Look at everything that a run needs, in the order of the table.

    Args:
        context: its facts are shared by all checks; nothing is changed.
    """
    answered: dict[str, Answered] = {}
    with ThreadPoolExecutor(max_workers=len(CHECKS), thread_name_prefix="doctor") as pool:
        for check in CHECKS:
            needs = {number: answered[number] for number in check.needs}
            answered[check.number] = pool.submit(_look, check, context, needs)
    return [finding for future in answered.values() for finding in future.result()]


def _look(check: Check, context: Context, needs: Mapping[str, Answered]) -> list[Finding]:
    """Give one check's findings. A check waits only for earlier ones, so that no two wait for each other."""
    lacking = [number for number, future in needs.items() if _has_failed(future.result())]
    if lacking:
        topic = f"{check.number} {check.title}"
        return [Finding(topic, "warning", f"not looked at, as {' and '.join(lacking)} failed")]
    try:
        return [check.finding(answer) for answer in check.look(context)]
    except RunbookError as error:
        return [_of_error(check, error)]


def _has_failed(findings: Sequence[Finding]) -> bool:
    return any(finding.verdict == "failed" for finding in findings)


def _of_error(check: Check, error: RunbookError) -> Finding:
    again = "it may pass by itself: try again" if isinstance(error, PassingError) else ""
    evidence = (str(error.place),) if error.place else ()
    return Finding(f"{check.number} {check.title}", "failed", error.message, error.remedy or again, evidence)
