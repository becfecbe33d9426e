"""What a look at Pods that are not ready gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from runbook.clients.kube.objects import Object

SOON_SECONDS: Final = 120.0
"""How long what should pass at once may last."""


@dataclass(frozen=True)
class Diagnosis:
    """What is seen of Pods that are not ready.

    Args:
        condition: one line for the operator who waits.
        cause: what kind of trouble; empty where there is none.
        patience_seconds: how long the trouble may last, on the real cloud; 0: it does not pass by itself,
            None: there is no trouble, or none that has an end before the wait's own.
        evidence: the message of the error that ends the wait.
        remedy: what the operator can do; its commands begin with `KUBECTL`.
        symptom: the known symptom that it is, whose cause and remedy are told; empty: none.
        pod: the Pod that was looked at; empty where there is none.
    """

    condition: str
    cause: str = ""
    patience_seconds: float | None = None
    evidence: str = ""
    remedy: str | None = None
    symptom: str = ""
    pod: str = ""


def latest(events: Sequence[Object]) -> Object:
    """Give the newest of some events."""
    return max(
        events, key=lambda event: str(event.get("lastTimestamp") or event["metadata"]["creationTimestamp"])
    )


def about(events: Sequence[Object], found: Object) -> list[Object]:
    """Leave out what was told of another object that had the same name."""
    uid = found["metadata"].get("uid")
    return [event for event in events if event["involvedObject"].get("uid") in {None, "", uid}]
