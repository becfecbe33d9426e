"""Known symptoms found by the words that somebody said, or by name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from runbook.steps.symptoms.evidence import Source
from runbook.steps.symptoms.symptom import Symptom
from runbook.steps.symptoms.table import SYMPTOMS

_BY_ID: Final = {symptom.id: symptom for symptom in SYMPTOMS}


def symptom(name: str) -> Symptom:
    """Give the symptom of an id."""
    return _BY_ID[name]


def said(source: Source, text: str) -> Symptom | None:
    """Find the symptom that a text shows; of several the one that explains the others.

    Args:
        source: who says it.
        text: any number of lines.
    """
    found = [item for item in SYMPTOMS if _shows(item, source, text.splitlines())]
    present = {item.id for item in found}
    return next((item for item in found if present.isdisjoint(item.yields_to)), None)


def _shows(item: Symptom, source: Source, lines: Iterable[str]) -> bool:
    pattern = item.pattern
    return pattern is not None and source in item.sources and any(map(pattern.search, lines))
