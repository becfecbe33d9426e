"""Evidence: one text that somebody said about something, and who said it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

_LONGEST = 400


class Source(StrEnum):
    """Where a text comes from; the same words mean different things from different mouths."""

    EVENT = "event"
    STATUS = "container status"
    LOG = "log of server or benchmark"
    READY_LOG = "log of a ready server"
    SIDECAR = "log of the mount's sidecar"
    OPERATION = "GKE operation or condition"
    REFUSAL = "refusal of a read"
    RUN = "error of the last run"
    STATE = "state of objects"


@dataclass(frozen=True)
class Evidence:
    """One text about one thing.

    Args:
        source: who says it.
        subject: what it is about, such as `Pod vllm-tpu-abc`.
        text: one line.
    """

    source: Source
    subject: str
    text: str

    def __str__(self) -> str:
        text = " ".join(self.text.split())
        return f"{self.subject}: {text if len(text) <= _LONGEST else text[:_LONGEST] + '...'}"
