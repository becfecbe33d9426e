"""From a snapshot to findings: each symptom with its evidence, and what is broken without a name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from runbook.doctor.diagnosis.rules import RULES
from runbook.doctor.diagnosis.snapshot import Snapshot, take
from runbook.doctor.diagnosis.texts import texts
from runbook.doctor.diagnosis.unnamed import unnamed
from runbook.doctor.finding import Finding
from runbook.steps.context import Context
from runbook.steps.symptoms.evidence import Evidence, Source
from runbook.steps.symptoms.symptom import Symptom
from runbook.steps.symptoms.table import SYMPTOMS
from runbook.steps.symptoms.values import remedy

_MOST: Final = 5
"""Lines of evidence for one symptom."""


def diagnose(context: Context) -> list[Finding]:
    """Name what is wrong with the environment's deployment; nothing is changed.

    Returns:
        a finding for each known symptom that is seen, its topic being the symptom's id; then what is broken
        and none of them explains; where there is neither, one that says so.
    """
    seen = take(context)
    said = texts(seen)
    found = named(seen, said)
    findings = [_finding(context, symptom, evidence) for symptom, evidence in found.items()]
    if not any(_explains(symptom, evidence) for symptom, evidence in found.items()):
        named_already = {item for evidence in found.values() for item in evidence}
        findings.extend(unnamed(context, seen, [item for item in said if item not in named_already]))
    return findings or [Finding("symptoms", "ok", f"none of the {len(SYMPTOMS)} known ones is seen")]


def _explains(symptom: Symptom, evidence: Sequence[Evidence]) -> bool:
    """Tell whether what is broken has its name by a symptom; a warning does it where Pods show it."""
    return symptom.verdict == "failed" or any(item.subject.startswith("Pod ") for item in evidence)


def named(seen: Snapshot, said: Sequence[Evidence]) -> dict[Symptom, list[Evidence]]:
    """Find the symptoms that are seen, each with its evidence.

    Args:
        said: the snapshot's texts.
    """
    found = {symptom: list(_evidence(symptom, seen, said)) for symptom in SYMPTOMS}
    present = {symptom.id for symptom, evidence in found.items() if evidence}
    return {
        symptom: evidence
        for symptom, evidence in found.items()
        if evidence and present.isdisjoint(symptom.yields_to)
    }


def _evidence(symptom: Symptom, seen: Snapshot, said: Sequence[Evidence]) -> Iterator[Evidence]:
    matching = [
        item
        for item in said
        if symptom.pattern and item.source in symptom.sources and symptom.pattern.search(item.text)
    ]
    yield from matching
    if rule := RULES.get(symptom.id):
        yield from rule(seen)
    if symptom.details and matching:
        subjects = {item.subject for item in matching}
        for item in said:
            if item.source is Source.LOG and item.subject in subjects and symptom.details.search(item.text):
                yield item


def _finding(context: Context, symptom: Symptom, evidence: Sequence[Evidence]) -> Finding:
    lines = list(dict.fromkeys(map(str, evidence)))
    return Finding(symptom.id, symptom.verdict, symptom.cause, remedy(context, symptom), tuple(lines[:_MOST]))
