"""`inv compare`, and the comparison that ends a line with a benchmark."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from runbook.cli.benchmarks import kept_benchmarks
from runbook.cli.catalogue import load_variables
from runbook.cli.gating import target
from runbook.cli.line import Gate, Line
from runbook.engine.errors import Place, RunbookError, UserError
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
        0 no regression, 1 a regression, 2 it cannot be judged or not be written, a mistake in the words
        included: 1 always means that something became slower.
    """
    try:
        where, allowed = target(line, markdown), allowed_keys(words["allow"])
        found = _compared(line, words["baseline"], words["candidate"], allowed)
    except RunbookError as error:
        print_error(error, line.options.json)
        return NOT_JUDGED
    if where != "-":
        _print(line, found)
    unwritten = _write(line, {where: _markdown(found)})
    return found.exit_code or unwritten


def judge_run(line: Line, gate: Gate, code: int) -> int:
    """Compare the benchmark that the line has made with its baseline.

    Args:
        line: that has run.
        gate: what to compare with.
        code: how the run ended; after a failure nothing is compared.

    Returns:
        the line's exit code; 2 too where a file that was asked for cannot be written, and nothing is worse.
    """
    if code:
        _write(line, {gate.junit: unmeasured_junit("the run failed; its steps say why")})
        return code
    try:
        found = _compared(line, gate.baseline, line.run_ids[-1], gate.allow)
    except RunbookError as error:
        judged = NOT_JUDGED
        print_error(error, line.options.json)
        unwritten = _write(line, {gate.junit: unmeasured_junit(error.message)})
    else:
        judged = found.exit_code
        _print(line, found)
        unwritten = _write(line, {gate.markdown: _markdown(found), gate.junit: comparison_junit(found)})
    return (judged if gate.decides else code) or unwritten


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


def _markdown(found: Comparison) -> str:
    return "\n".join(comparison_markdown(found)) + "\n"


def _write(line: Line, texts: Mapping[str, str]) -> int:
    """Write texts to where they go: a file, `-` for stdout, or nowhere; 2 where a file cannot be written."""
    code = 0
    for where, text in texts.items():
        if where == "-":
            print(text, end="", flush=True)
        elif where:
            try:
                Path(where).write_text(text, encoding="utf-8")
            except OSError as cause:
                told = f"cannot be written: {(cause.strerror or str(cause)).lower()}"
                print_error(UserError(told, place=Place.in_file(Path(where))), line.options.json)
                code = NOT_JUDGED
    return code
