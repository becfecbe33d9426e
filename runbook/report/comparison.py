"""A comparison of two benchmarks as lines for people, as Markdown, as JUnit XML and as a record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from xml.etree import ElementTree as Xml

from runbook.engine.records import jsonable
from runbook.measurement.comparison import Comparison, Delta, Side
from runbook.measurement.figures import unit_of
from runbook.measurement.likeness import Unlike
from runbook.report.measurement import number

_HEAD = ("median of the runs", "baseline", "candidate", "change", "counts from")
REHEARSED = "REHEARSAL: stand-ins measured each other; no figure here is a TPU's"


def comparison_lines(found: Comparison) -> Iterator[str]:
    """Write what differs, a line for each figure, the notes, and last the outcome."""
    yield f"baseline   {side_text(found.baseline)}"
    yield f"candidate  {side_text(found.candidate)}"
    yield from (f"compared   {unlike_text(item)}" for item in found.compared)
    yield from (f"NOT ALIKE  {unlike_text(item)}" for item in found.refused)
    if found.deltas:
        yield "{:<32} {:>12} {:>12} {:>9} {:>12}".format(*_HEAD)
    for delta in found.deltas:
        cells = f"{number(delta.baseline):>12} {number(delta.candidate):>12} {change_text(delta):>9}"
        yield f"{named(delta.key):<32} {cells} {_limit(delta):>12} {_judgement(delta)}".rstrip()
    yield from (f"note       {note}" for note in notes(found))
    yield f"VERDICT    {found.outcome}"


def comparison_markdown(found: Comparison) -> Iterator[str]:
    """Write the same for a page of a pull request."""
    yield f"### Benchmark: {found.outcome}"
    yield ""
    yield f"- baseline: {side_text(found.baseline)}"
    yield f"- candidate: {side_text(found.candidate)}"
    yield from (f"- compared: {_code(item)}" for item in found.compared)
    yield from (f"- **not alike**: {_code(item)}" for item in found.refused)
    yield from (f"- {note}" for note in notes(found))
    if found.deltas:
        yield ""
        yield "| median of the runs | baseline | candidate | change | counts from | |"
        yield "|---|---:|---:|---:|---:|---|"
    for delta in found.deltas:
        figures = f"{number(delta.baseline)} | {number(delta.candidate)} | {change_text(delta)}"
        yield f"| {named(delta.key)} | {figures} | {_limit(delta)} | {_judgement(delta)} |"


def comparison_junit(found: Comparison) -> str:
    """Write a suite with one case for each figure that decides; what was not judged is an error."""
    judged = [delta for delta in found.deltas if delta.judgement != "not judged"]
    suite = Xml.Element("testsuite", name="benchmark")
    for delta in judged:
        case = Xml.SubElement(suite, "testcase", classname="benchmark", name=delta.key)
        text = f"{number(delta.baseline)} -> {number(delta.candidate)}, {change_text(delta)}"
        if delta.judgement == "regression":
            Xml.SubElement(case, "failure", message=f"{text}; counts from {_limit(delta)}")
        else:
            Xml.SubElement(case, "system-out").text = f"{text}: {delta.judgement}"
    if found.exit_code == 2:
        case = Xml.SubElement(suite, "testcase", classname="benchmark", name="comparison")
        Xml.SubElement(case, "error", message=_why_not(found))
    return _document(suite)


def unmeasured_junit(why: str) -> str:
    """Write a suite whose one case could not be measured."""
    suite = Xml.Element("testsuite", name="benchmark")
    case = Xml.SubElement(suite, "testcase", classname="benchmark", name="measurement")
    Xml.SubElement(case, "error", message=why)
    return _document(suite)


def comparison_record(found: Comparison) -> dict[str, Any]:
    """Turn a comparison into a record."""
    return {
        "event": "comparison",
        "outcome": found.outcome,
        "exit_code": found.exit_code,
        "rehearsal": _rehearsal(found),
        "baseline": _side_record(found.baseline),
        "candidate": _side_record(found.candidate),
        "figures": jsonable(found.deltas),
        "compared": jsonable(found.compared),
        "refused": jsonable(found.refused),
        "notes": notes(found),
    }


def notes(found: Comparison) -> list[str]:
    """List what the reader should know, runs that were left out among it."""
    left_out = [*found.baseline.left_out, *found.candidate.left_out]
    lost = [f"left out, as they are no measurements: {', '.join(left_out)}"] if left_out else []
    return [*([REHEARSED] if _rehearsal(found) else []), *found.notes, *lost]


def side_text(side: Side) -> str:
    """Say which runs stand for a side."""
    ids = [run.id for run in side.runs]
    shown = ", ".join(ids if len(ids) <= 3 else [ids[0], "...", ids[-1]])
    return f"{side.name}: {len(ids)} run{'' if len(ids) == 1 else 's'}{f' ({shown})' if ids else ''}"


def unlike_text(item: Unlike) -> str:
    """Say in what two sides differ."""
    return f"{item.key}: {_value(item.baseline)} -> {_value(item.candidate)}"


def named(key: str) -> str:
    """Give a figure's name with its unit, where the name does not end in it."""
    unit = unit_of(key)
    return key if not unit or key.endswith(f"_{unit}") else f"{key} ({unit})"


def change_text(delta: Delta) -> str:
    """Say how much a figure changed."""
    return "" if delta.change is None else f"{delta.change:+.2%}"


def _limit(delta: Delta) -> str:
    return "" if delta.threshold is None else f"{delta.threshold:.2%}"


def _judgement(delta: Delta) -> str:
    return "" if delta.judgement == "not judged" else delta.judgement


def _value(value: object) -> str:
    return "none" if value is None else str(value)


def _code(item: Unlike) -> str:
    return f"`{item.key}`: `{_value(item.baseline)}` -> `{_value(item.candidate)}`"


def _rehearsal(found: Comparison) -> bool:
    return any(run.rehearsal for run in (*found.baseline.runs, *found.candidate.runs))


def _side_record(side: Side) -> dict[str, Any]:
    return {"name": side.name, "runs": [run.id for run in side.runs], "left_out": list(side.left_out)}


def _why_not(found: Comparison) -> str:
    details: Sequence[str] = [unlike_text(item) for item in found.refused] or found.notes
    return f"{found.outcome}: {'; '.join(details)}"


def _document(suite: Xml.Element) -> str:
    for kind in ("failure", "error"):
        suite.set(f"{kind}s", str(len(suite.findall(f"testcase/{kind}"))))
    suite.set("tests", str(len(suite)))
    Xml.indent(suite)
    return Xml.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"
