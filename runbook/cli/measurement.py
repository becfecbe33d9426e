"""`inv parse`: a benchmark's output, whoever ran it, as a table or as JSON, with the verdict it supports."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runbook.cli.line import Line
from runbook.engine.errors import Place, UserError
from runbook.measurement.asked import Asked
from runbook.measurement.document import Verdict
from runbook.measurement.reading import Reading, read_result
from runbook.measurement.verdict import judge
from runbook.report.measurement import figure_lines, verdict_lines

_MOST_BYTES = 512 * 1024 * 1024


def parse(line: Line, file: str, prompts: str, output_len: str) -> int:
    """Read a log or a saved JSON and print what it holds.

    Args:
        line: its option --json is read.
        file: a path, or - for stdin.
        prompts: requests that were asked for; empty where the output itself is to tell.
        output_len: tokens that each answer must have; likewise.

    Returns:
        0 where the output is a measurement, else 1.

    Raises:
        UserError: the file cannot be read, or an option is no number.
    """
    asked = Asked(prompts=_number("--prompts", prompts), output_len=_number("--output-len", output_len))
    reading = read_result(_text(file))
    verdict = judge(reading, asked)
    if line.options.json:
        print(json.dumps(_record(reading, verdict)))
    else:
        print("\n".join(_table(reading, verdict)))
    return 0 if verdict.ok else 1


def _text(file: str) -> str:
    if not file:
        raise UserError("no file is named", remedy="inv parse FILE, or inv parse - to read stdin")
    if file == "-":
        return sys.stdin.buffer.read().decode("utf-8", "replace")
    path = Path(file)
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UserError(
                "is larger than 512 MiB", place=Place.in_file(path), remedy="save without details"
            )
        return path.read_bytes().decode("utf-8", "replace")
    except OSError as cause:
        raise UserError(f"cannot be read: {cause.strerror}", place=Place.in_file(path)) from cause


def _number(option: str, text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise UserError(f"{option} {text} is no whole number above 0", remedy=f"such as {option}=1000")
    return int(text)


def _record(reading: Reading, verdict: Verdict) -> dict[str, Any]:
    return {
        "verdict": verdict.model_dump(),
        "result": reading.figures,
        "confirmed": sorted(reading.confirmed),
        "full_precision": reading.full_precision,
        "results": reading.blocks,
        "unknown": list(reading.unknown),
    }


def _table(reading: Reading, verdict: Verdict) -> Iterator[str]:
    yield from figure_lines(reading.figures, reading.confirmed)
    if reading.blocks > 1:
        yield f"{reading.blocks} results; this is the last one"
    if reading.unknown:
        yield f"{len(reading.unknown)} lines that are not understood:"
        yield from (f"  {line}" for line in reading.unknown)
    yield from verdict_lines(verdict)
