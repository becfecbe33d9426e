"""A benchmark's output, read: a log in whatever state it arrives, or a saved JSON."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pydantic import ValidationError

from runbook.measurement.asked import Asked, asked_in_fingerprint, asked_in_log, asked_in_saved, begins_run
from runbook.measurement.block import Block, after_last_block, holds_block, read_blocks
from runbook.measurement.carriage import Carried, parse_object, read_carried
from runbook.measurement.consistency import asked_and_answered, contradictions, disagreements
from runbook.measurement.details import recount
from runbook.measurement.document import SCHEMA, Document, Verdict
from runbook.measurement.figures import ESSENTIAL, Figures, figures_in
from runbook.measurement.lines import Progress, bars, last_progress, lines_of, without_progress

_FAILED: Final = re.compile(r"^Error \d+: ")
_CLIENT: Final = re.compile(r"----- vLLM of the client: (?P<version>\d[\w.+-]*)", re.ASCII)
_TELLING: Final = re.compile(r"(?:Error|Exception|\berror): |^Killed$|^Terminated$|KeyboardInterrupt")


@dataclass(frozen=True)
class Reading:
    """What was read.

    Args:
        figures: the result; empty where there is none.
        confirmed: figures that a second copy, a checksum or the single requests confirm; a digit of another
            one could have changed on the way unseen.
        full_precision: whether they come from the saved JSON, not from the rounded block.
        client: the saved JSON; None where it was not found whole.
        block: the block as printed; empty where there is none.
        blocks: how many there are; the last one counts.
        unknown: lines of the block that are not understood, in order.
        contradictions: what cannot be true together, or shows that the log is damaged.
        asked: what the client says that it was asked for.
        progress: how far the progress bar came.
        failures: errors of single requests that the log tells.
        last_error: the last line that tells of an error; empty where none does.
        client_version: of vLLM, as the Job's script writes it behind the result; empty where it does not.
        cut: whether results of earlier runs were left out, as the last run of the log has none.
        kept: the verdict of a kept document; None where it is none.
    """

    figures: Figures = field(default_factory=dict)
    confirmed: frozenset[str] = frozenset()
    full_precision: bool = False
    client: dict[str, Any] | None = None
    block: str = ""
    blocks: int = 0
    unknown: tuple[str, ...] = ()
    contradictions: tuple[str, ...] = ()
    asked: Asked = field(default_factory=Asked)
    progress: Progress | None = None
    failures: tuple[str, ...] = ()
    last_error: str = ""
    client_version: str = ""
    cut: bool = False
    kept: Verdict | None = None

    @property
    def complete(self) -> bool:
        """Whether there is a result."""
        return self.figures.keys() >= set(ESSENTIAL)


def read_result(text: str) -> Reading:
    """Read a log, a saved JSON, the lines of --append-result (the last counts), or a kept document."""
    stripped = text.strip("\ufeff \t\r\n\0")
    if stripped.startswith("{") and not stripped.startswith('{"log":'):
        return _of_json(stripped)
    return _of_log(text)


def _of_json(text: str) -> Reading:
    whole = parse_object(text)
    if whole is not None:
        return _of_document(whole) if whole.get("schema") == SCHEMA else _of_saved(whole)
    if holds_block(text):
        return _of_log(text)  # its first line is a record of some logger
    records = [parse_object(line) for line in text.split("\n") if line.strip()]
    last = records[-1]
    if last is None:
        return Reading(contradictions=("the JSON is damaged",), blocks=len(records))
    return _of_saved(last, len(records))


def _of_document(kept: dict[str, Any]) -> Reading:
    """Read the client's JSON, or the figures, out of a document of ours."""
    try:
        document = Document.model_validate(kept)
    except ValidationError:
        return Reading(contradictions=("the document is damaged",))
    found = _of_saved(document.client or document.result, rounded=not document.full_precision)
    return replace(
        found,
        client=document.client,
        full_precision=document.full_precision,
        asked=asked_in_fingerprint(document.fingerprint).or_else(found.asked),
        kept=document.verdict,
    )


def _of_saved(saved: dict[str, Any], records: int = 1, *, rounded: bool = False) -> Reading:
    figures = figures_in(saved)
    again = recount(saved, figures)
    wrong = contradictions(figures, rounded=rounded) + asked_and_answered(saved) + list(again.different)
    return Reading(
        figures=figures,
        confirmed=again.agreed,
        full_precision=True,
        client=saved,
        blocks=records,
        contradictions=tuple(wrong),
        asked=asked_in_saved(saved),
    )


def _of_log(text: str) -> Reading:
    whole = lines_of(text)
    lines = _last_run(whole)
    block, blocks = read_blocks(lines)
    carried = read_carried(lines)
    cut = len(lines) < len(whole)
    if block is None and carried is None and not cut:
        records = [saved for saved in map(_record, lines) if saved]
        if records:
            return _of_saved(records[-1], len(records))
    return Reading(
        figures=_figures(block, carried),
        confirmed=_confirmed(block, carried),
        full_precision=bool(carried and carried.saved),
        client=carried.saved if carried else None,
        block=block.text if block else "",
        blocks=blocks,
        unknown=tuple(block.unknown) if block else (),
        contradictions=tuple(_contradictions(block, carried)),
        asked=asked_in_log(lines).or_else(asked_in_saved((carried and carried.saved) or {})),
        progress=last_progress(lines),
        failures=tuple(line for line in lines if _FAILED.match(line)),
        last_error=_last_error(lines),
        client_version=_client_version(lines),
        cut=cut,
    )


def _last_run(lines: Sequence[str]) -> Sequence[str]:
    """Leave out earlier runs where the last one has no block: theirs is not its result.

    A bar alone may be late, as stderr is; it is of another run where one was full before.
    """
    rest = after_last_block(lines)
    if len(rest) == len(lines):
        return lines
    begun = [number for number, line in enumerate(rest) if begins_run(line)]
    if begun:
        return rest[begun[-1] :]
    bar = last_progress(rest)
    begins_anew = bar and not bar.full and any(drawn.full for drawn in bars(lines))
    return rest if begins_anew else lines


def _record(line: str) -> dict[str, Any] | None:
    """Read a saved JSON that was printed into a log, without the marks of the Job's script."""
    plain = without_progress(line).strip()
    found = parse_object(plain) if plain.startswith("{") else None
    return found if found and found.keys() >= set(ESSENTIAL) else None


def _figures(block: Block | None, carried: Carried | None) -> Figures:
    """The saved JSON wins, as it is exact; the block fills in what an old client does not save."""
    shown = block.figures if block else {}
    return {**shown, **(figures_in(carried.saved) if carried and carried.saved else {})}


def _confirmed(block: Block | None, carried: Carried | None) -> frozenset[str]:
    if carried is None or carried.saved is None:
        return frozenset()
    saved = figures_in(carried.saved)
    if carried.checked:
        return frozenset(saved)
    twice = frozenset(block.figures if block else ()) & frozenset(saved)
    return twice | recount(carried.saved, saved).agreed


def _contradictions(block: Block | None, carried: Carried | None) -> list[str]:
    wrong = list(block.damages) if block else []
    if block:
        wrong += contradictions(block.figures, rounded=True)
    if carried is None:
        return wrong
    if carried.damage:
        wrong.append(carried.damage)
    if carried.saved is not None:
        saved = figures_in(carried.saved)
        wrong += contradictions(saved, rounded=False) + asked_and_answered(carried.saved)
        wrong += list(recount(carried.saved, saved).different)
        wrong += disagreements(block.figures, saved) if block else ["the log has no block"]
    return wrong


def _client_version(lines: Sequence[str]) -> str:
    found = [match["version"] for match in map(_CLIENT.search, lines) if match]
    return found[-1] if found else ""


def _last_error(lines: Sequence[str]) -> str:
    found = [line.strip() for line in lines if _TELLING.search(line) and not _FAILED.match(line)]
    return "".join(filter(str.isprintable, found[-1][:300])) if found else ""
