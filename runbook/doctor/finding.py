"""What the doctor says: one finding for each thing that it looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "failed"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Args:
        topic: what was looked at, such as `P7 reservation demo-reservation`.
        verdict: `failed` makes `inv doctor` end with exit code 1.
        fact: what was found.
        remedy: what to do, where something should be done.
        evidence: the lines that show it: an event, a log line, a condition.
    """

    topic: str
    verdict: Verdict
    fact: str
    remedy: str = ""
    evidence: Sequence[str] = ()
