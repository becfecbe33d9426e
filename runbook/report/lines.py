"""A step's end as lines of text: the same for a terminal, a pipe and a page."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from runbook.engine.bill import Bill
from runbook.engine.change import Change, Difference
from runbook.engine.events import CostKnown
from runbook.engine.outcome import Outcome, Status
from runbook.engine.records import jsonable
from runbook.engine.shell import one_line
from runbook.engine.span import span
from runbook.report.errors import error_lines

INDENT = " " * 9
NAME_WIDTH = 42
STATUS_WIDTH = 12
VALUE_WIDTH = 100
MOST_DIFFERENCES = 8
MINUTE = 60


def headline(outcome: Outcome) -> str:
    """Say how a step ended: section, name, status, time, reason."""
    status: str = outcome.status
    reason = "" if outcome.status is Status.FAILED else outcome.reason
    if outcome.status is Status.UNKNOWN:
        status, reason = f"unknown until {outcome.reason}", ""
    left = f"{outcome.section:<6} {outcome.name:<{NAME_WIDTH}} {status:<{STATUS_WIDTH}}"
    return f"{left} {_seconds(outcome.seconds):>7}  {reason}".rstrip()


def details(outcome: Outcome, diff: bool) -> Iterator[str]:
    """Say what a step changed, or would, and what made it fail.

    Args:
        outcome: the step's end.
        diff: show values in full, line by line.
    """
    for command, changes in groupby(outcome.changes, lambda change: change.command):
        for change in changes:
            yield from _change_lines(change, diff)
        if command:
            yield f"{INDENT}  $ {one_line(command)}".replace("\n", f"\n{INDENT}    ")
    if outcome.error:
        yield from (INDENT + line for line in error_lines(outcome.error))


def recap(outcomes: Sequence[Outcome], seconds: float, check: bool) -> str:
    """Count the ends of all steps; the last line of a run."""
    counts = {status: sum(outcome.status is status for outcome in outcomes) for status in Status}
    changed = counts[Status.CHANGED] + counts[Status.WOULD_CHANGE]
    line = (
        f"RECAP  ok={counts[Status.OK]} changed={changed} skipped={counts[Status.SKIPPED]}"
        f" failed={counts[Status.FAILED]}  in {seconds:.1f} s"
    )
    if check:
        line += f"  (check: nothing was changed; unknown={counts[Status.UNKNOWN]})"
    return line


def cost(known: CostKnown, check: bool) -> str:
    """Say what costs money as the line leaves it, with figures where prices are known.

    Args:
        known: what bills.
        check: True where nothing was changed: what a run would leave.
    """
    unread = f"not read: {', '.join(known.unread)}" if known.unread else ""
    notes = [note for note in ("only what these steps look at", unread, known.note) if note]
    return f"COST   {'after a run: ' if check else ''}{_bills_text(known)}  ({'; '.join(notes)})"


def _bills_text(known: CostKnown) -> str:
    if not known.bills:
        return "nothing that these steps look after costs money"
    if known.hourly is None:
        return f"billed while it is there (no prices are set): {', '.join(map(str, known.bills))}"
    priced = [f"{bill} {_money(bill.hourly)}" for bill in known.bills if bill.hourly is not None]
    text = f"{_money(known.hourly)} {known.currency} an hour: {', '.join(priced)}".replace("  ", " ")
    others = _unpriced(known.bills)
    return f"{text}; and without a price: {others}" if others else text


def _unpriced(bills: Sequence[Bill]) -> str:
    return ", ".join(str(bill) for bill in bills if bill.hourly is None)


def _money(amount: float) -> str:
    """Write an amount with cents."""
    return "under 0.01" if 0 < amount < 0.01 else f"{amount:.2f}"


def _change_lines(change: Change, diff: bool) -> Iterator[str]:
    if change.warning:
        yield f"{INDENT}warning: {change.warning}"
    if change.loss:
        yield f"{INDENT}loss: {change.loss}"
    shown = change.differences if diff else change.differences[:MOST_DIFFERENCES]
    for difference in shown:
        yield from (INDENT + line for line in _difference_lines(difference, diff))
    if len(shown) < len(change.differences):
        yield f"{INDENT}and {len(change.differences) - len(shown)} more (--diff shows all)"


def _difference_lines(difference: Difference, diff: bool) -> Iterator[str]:
    before, after = jsonable(difference.before), jsonable(difference.after)
    if diff and (_is_long(before) or _is_long(after)):
        yield f"{difference.path}:"
        old, new = _in_full(before), _in_full(after)
        yield from (f"  {line}" for line in list(difflib.unified_diff(old, new, lineterm="", n=2))[2:])
    else:
        yield f"{difference.path}: {_short(before)} -> {_short(after)}"


def _is_long(value: Any) -> bool:
    return isinstance(value, dict | list) or (isinstance(value, str) and "\n" in value)


def _in_full(value: Any) -> list[str]:
    if value is None:
        return []
    text = value if isinstance(value, str) else json.dumps(value, indent=2)
    return text.splitlines()


def _short(value: Any) -> str:
    if value is None:
        return "absent"
    if isinstance(value, str) and "\n" in value:
        return f"({len(value.splitlines())} lines)"
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= VALUE_WIDTH else f"{text[: VALUE_WIDTH - 1]}…"


def _seconds(seconds: float) -> str:
    return span(seconds) if round(seconds) >= MINUTE else f"{seconds:.1f} s"
