"""`inv bench --repeat --baseline --gate`: checked before the line begins, as a benchmark takes an hour."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from runbook.cli.benchmarks import kept_benchmarks
from runbook.cli.catalogue import load_variables
from runbook.cli.line import Gate, Line
from runbook.engine.errors import Place, UserError
from runbook.measurement.kept import BEST, LAST
from runbook.measurement.likeness import allowed_keys

_MOST_ROUNDS = 50


def arrange(line: Line, repeat: str, gate: bool, markdown: str | bool, told: Mapping[str, str]) -> None:
    """Have the line measure more than once, and compare at its end.

    Args:
        line: gets the rounds and the gate.
        repeat: how often to measure; empty: once.
        gate: whether the comparison decides the exit code.
        markdown: a file; True: stdout; empty: none.
        told: the options baseline, allow and junit.

    Raises:
        UserError: an option is wrong.
    """
    if repeat:
        line.rounds["bench"] = _times(repeat)
    if not (gate or told["baseline"]):
        _refuse_alone(markdown=bool(markdown), **{name: bool(told[name]) for name in ("junit", "allow")})
        return
    line.gate = Gate(
        baseline=_settled(line, told["baseline"] or LAST),
        allow=allowed_keys(told["allow"]),
        decides=gate,
        markdown=target(line, markdown),
        junit=_writable(told["junit"]),
    )


def target(line: Line, markdown: str | bool) -> str:
    """Tell where Markdown goes: a file, `-` for stdout, or nowhere.

    Args:
        line: its option --json is read.
        markdown: as the task's option has it.

    Raises:
        UserError: stdout is for JSON, or the file cannot be written.
    """
    if markdown is True or markdown == "-":
        if line.options.json:
            raise UserError("--json and --markdown both want stdout", remedy="--markdown FILE")
        return "-"
    return _writable(str(markdown or ""))


def _settled(line: Line, word: str) -> str:
    """Give a baseline's whole id: the line's own run may begin as the word does."""
    if word in {LAST, BEST}:
        return word
    found = kept_benchmarks(line, load_variables(line).variables).candidate(word)
    return word if Path(word).exists() or word in {run.id for run in found.runs} else found.runs[0].run_id


def _times(repeat: str) -> int:
    if not (repeat.isascii() and repeat.isdecimal() and 1 <= int(repeat) <= _MOST_ROUNDS):
        raise UserError(
            f"--repeat {repeat} is no whole number from 1 to {_MOST_ROUNDS}", remedy="such as --repeat=3"
        )
    return int(repeat)


def _refuse_alone(**options: bool) -> None:
    for name, given in options.items():
        if given:
            raise UserError(
                f"--{name} is about a comparison, and there is none", remedy="add --gate or --baseline"
            )


def _writable(file: str) -> str:
    path = Path(file)
    if file and (not path.parent.is_dir() or path.is_dir()):
        raise UserError("cannot be written: no such folder", place=Place.in_file(path))
    if file and not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UserError("cannot be written: permission denied", place=Place.in_file(path))
    return file
