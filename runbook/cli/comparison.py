"""`inv compare`, and the comparison that ends a line with a benchmark."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from runbook.cli.benchmarks import kept_benchmarks
from runbook.cli.catalogue import load_variables
from runbook.cli.gating import target
from runbook.cli.line import Gate, Line
from runbook.engine.errors import RunbookError
from runbook.measurement.comparison import Comparison, compare
from runbook.measurement.likeness import allowed_keys
from runbook.report.comparison import (
    comparison_junit,
    comparison_lines,
    comparison_markdown,
    comparison_record,
    unmeasured_junit,
)
from runbook.report.errors import print_error

NOT_JUDGED = 2


def show(line: Line, words: Mapping[str, str], markdown: str | bool) -> int:
    """Compare two benchmarks and print what came of it.

    Args:
        line: its home is read, and its options.
        words: baseline, candidate and allow, as typed.
        markdown: a file; True: stdout; empty: a table.

    Returns:
        0 no regression, 1 a regression, 2 it cannot be judged, a mistake in the words included: 1 always
        means that something became slower.
    """
    try:
        where, allowed = target(line, markdown), allowed_keys(words["allow"])
        found = _compared(line, words["baseline"], words["candidate"], allowed)
    except RunbookError as error:
        print_error(error, line.options.json)
        return NOT_JUDGED
    if where != "-":
        _print(line, found)
    _write_markdown(found, where)
    return found.exit_code


def judge_run(line: Line, gate: Gate, code: int) -> int:
    """Compare the benchmark that the line has made with its baseline.

    Args:
        line: that has run.
        gate: what to compare with.
        code: how the run ended; after a failure nothing is compared.

    Returns:
        the line's exit code.
    """
    if code:
        _write(gate.junit, unmeasured_junit("the run failed; its steps say why"))
        return code
    try:
        found = _compared(line, gate.baseline, line.run_ids[-1], gate.allow)
    except RunbookError as error:
        print_error(error, line.options.json)
        _write(gate.junit, unmeasured_junit(error.message))
        return NOT_JUDGED if gate.decides else code
    _print(line, found)
    _write_markdown(found, gate.markdown)
    _write(gate.junit, comparison_junit(found))
    return found.exit_code if gate.decides else code


def _compared(line: Line, baseline: str, candidate: str, allowed: frozenset[str]) -> Comparison:
    variables = load_variables(line).variables
    kept = kept_benchmarks(line, variables)
    after = kept.candidate(candidate)
    before = kept.baseline(baseline, after, allowed)
    return compare(before, after, tolerance=variables.bench.tolerance_percent / 100, allowed=allowed)


def _print(line: Line, found: Comparison) -> None:
    if line.options.json:
        print(json.dumps(comparison_record(found)), flush=True)
    else:
        print("\n".join(comparison_lines(found)), flush=True)


def _write_markdown(found: Comparison, where: str) -> None:
    text = "\n".join(comparison_markdown(found)) + "\n"
    if where == "-":
        print(text, end="", flush=True)
    else:
        _write(where, text)


def _write(file: str, text: str) -> None:
    if file:
        Path(file).write_text(text, encoding="utf-8")
