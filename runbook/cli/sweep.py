"""`inv sweep`: its options, checked before the line begins, and what ends the line."""

from __future__ import annotations

import json
import math
from typing import Final

from runbook.cli.line import Line
from runbook.engine.errors import UserError
from runbook.measurement.sweep import FILE_NAME, read_sweep
from runbook.report.sweep import exit_code, sweep_lines, sweep_record

LATENCIES: Final = ("ttft", "tpot", "e2el")
_MOST_AT_ONCE: Final = 100_000
_SUCH_AS: Final = "such as --slo ttft:2000,tpot:50"


def arrange(line: Line, concurrency: str, slo: str, fresh: bool) -> None:
    """Have the line's sweep do what the options say.

    Args:
        line: gets them as settings.
        concurrency: the series, such as `1,8,64,256`; empty: the variables'.
        slo: the objective, such as `ttft:2000,tpot:50`, in ms; empty: the variables'.
        fresh: begin anew where a sweep was interrupted.

    Raises:
        UserError: an option is wrong.
    """
    line.sweeps = True
    if concurrency:
        line.add_setting("sweep.concurrency", json.dumps(_series(concurrency)))
    if slo:
        limits = _limits(slo)
        for name in LATENCIES:
            line.add_setting(f"slo.{name}_ms", json.dumps(limits.get(name)))
    if fresh:
        line.add_setting("sweep.resume", "false")


def judge_sweep(line: Line, code: int) -> int:
    """Print what the sweep found.

    Args:
        line: that has run.
        code: how the run ended.

    Returns:
        the line's exit code: 0 a load was found, 2 none keeps the objective, 1 the run failed.
    """
    path = line.runs / line.run_ids[-1] / FILE_NAME
    if not path.exists():
        return code
    sweep = read_sweep(path)
    if line.options.json:
        print(json.dumps(sweep_record(sweep)), flush=True)
    elif sweep.points:
        print("\n".join(sweep_lines(sweep)), flush=True)
    return code or exit_code(sweep)


def _series(text: str) -> list[int]:
    words = text.split(",")
    loads = {int(word) for word in words if word.isascii() and word.isdecimal()}
    if len(loads) < len(words) or not 1 <= min(loads) <= max(loads) <= _MOST_AT_ONCE:
        raise UserError(
            f"--concurrency {text} is no list of different whole numbers from 1 to {_MOST_AT_ONCE}",
            remedy="such as --concurrency 1,8,64,256",
        )
    return sorted(loads)


def _limits(text: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for part in text.split(","):
        name, _, limit = part.partition(":")
        if name not in LATENCIES or name in found:
            again = "twice" if name in found else f"none of {', '.join(LATENCIES)}"
            raise UserError(f"--slo {text}: {name or part!r} is {again}", remedy=_SUCH_AS)
        found[name] = _milliseconds(text, name, limit)
    return found


def _milliseconds(text: str, name: str, limit: str) -> float:
    try:
        value = float(limit)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise UserError(f"--slo {text}: {name} needs milliseconds above 0", remedy=_SUCH_AS)
    return value
