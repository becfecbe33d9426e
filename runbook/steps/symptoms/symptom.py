"""What a known symptom is."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from runbook.steps.symptoms.evidence import Source


@dataclass(frozen=True)
class Symptom:
    """One known symptom. It is seen by a text from certain mouths, or by the state of objects.

    Args:
        id: number and words; the rehearsal's scenario of the same name shows it.
        cause: one sentence.
        remedy: with {names} of this environment's values; {kubectl} begins a command for its cluster.
        pattern: what the text holds; None where only the state of objects tells.
        sources: whose texts count.
        details: lines of a server's log that belong to the evidence, where the text itself hides the cause.
        yields_to: symptoms that explain it: where one of them is seen, this one is not told.
        verdict: warning, where it passes by itself or only one program of the operator's is concerned.
        lasting: a Pod that waits for a mount, and says this, waits in vain.
    """

    id: str
    cause: str
    remedy: str
    pattern: re.Pattern[str] | None = None
    sources: frozenset[Source] = field(default_factory=frozenset)
    details: re.Pattern[str] | None = None
    yields_to: tuple[str, ...] = ()
    verdict: Literal["warning", "failed"] = "failed"
    lasting: bool = False

    @property
    def number(self) -> int:
        """The symptom's number."""
        return int(self.id[1:3])
