"""What a known symptom is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from runbook.doctor.diagnosis.evidence import Evidence, Source
from runbook.doctor.diagnosis.snapshot import Snapshot

Rule = Callable[[Snapshot], Iterator[Evidence]]
"""Computes the evidence of a symptom from the state of objects."""


@dataclass(frozen=True)
class Symptom:
    """One known symptom. It is seen by a text from certain mouths, or by the state of objects.

    Args:
        id: number and words; the rehearsal's scenario of the same name shows it.
        cause: one sentence.
        remedy: with {names} of this environment's values.
        pattern: what the text holds; None where only the state tells.
        sources: whose texts count.
        rule: computes it from the state.
        details: lines of a server's log that belong to the evidence, where the text itself hides the cause.
        yields_to: symptoms that explain it: where one of them is seen, this one is not told.
        verdict: warning, where it passes by itself or only one program of the operator's is concerned.
    """

    id: str
    cause: str
    remedy: str
    pattern: re.Pattern[str] | None = None
    sources: frozenset[Source] = field(default_factory=frozenset)
    rule: Rule | None = None
    details: re.Pattern[str] | None = None
    yields_to: tuple[str, ...] = ()
    verdict: Literal["warning", "failed"] = "failed"

    @property
    def number(self) -> int:
        """The symptom's number."""
        return int(self.id[1:3])

    @property
    def seen_by(self) -> str:
        """Say what shows it, for the table of the documents."""
        texts = ", ".join(sorted(source.value for source in self.sources))
        shown = [f"`{self.pattern.pattern}` in {texts}"] if self.pattern else []
        rule = self.rule and (self.rule.__doc__ or "").partition("\n")[0].rstrip(".")
        return "; or ".join(shown + ([rule] if rule else []))
