"""The line that is seen while a rollout is awaited: how far it is, since when, and what was said last."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final

from runbook.clients.kube.objects import Object
from runbook.engine.report import StepReport

_AGAIN_SECONDS: Final = 5.0
_LONGEST: Final = 200


class WaitingLine:
    """Tells a wait's line when something in it has changed; its age alone every few seconds.

    Args:
        report: of the step that waits.
    """

    def __init__(self, report: StepReport) -> None:
        self._report = report
        self._told = ("", "", "")
        self._told_at = 0.0

    def tell(self, progress: str, pod: Object | None, said: str) -> None:
        """Tell how far it is.

        Args:
            progress: of the whole.
            pod: the Pod that is looked at; None where there is none.
            said: the last event, or how far the server's own start-up is.
        """
        phase = pod.get("status", {}).get("phase", "Pending") if pod else ""
        now = time.monotonic()
        if (progress, phase, said) == self._told and now - self._told_at < _AGAIN_SECONDS:
            return
        self._told, self._told_at = (progress, phase, said), now
        if said.startswith("asking again: "):
            self._report.condition(said)
            return
        since = f"{phase} for {_age(pod)}" if pod else ""
        self._report.condition("; ".join(filter(None, [progress, since, " ".join(said.split())[:_LONGEST]])))


def _age(pod: Object) -> str:
    """Say how old a Pod is."""
    made = datetime.fromisoformat(pod["metadata"]["creationTimestamp"])
    seconds = max(int((datetime.now(UTC) - made).total_seconds()), 0)
    minutes, rest = divmod(seconds, 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
