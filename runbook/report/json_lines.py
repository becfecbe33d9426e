"""`--json`: every event as one JSON object a line."""

from __future__ import annotations

import json
import time
from typing import IO

from runbook.engine.events import Event, Transferred
from runbook.engine.records import event_record

SECONDS_BETWEEN = 1.0


class JsonLines:
    """An observer that writes events to a stream as they come (docs/operations.md has the fields).

    Args:
        stream: where to.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._told: dict[str, float] = {}

    def notify(self, event: Event) -> None:
        """Write the event; of a transfer's progress one a second for each file, and its end."""
        if isinstance(event, Transferred) and not self._is_due(event):
            return
        print(json.dumps(event_record(event)), file=self._stream, flush=True)

    def _is_due(self, event: Transferred) -> bool:
        now = time.monotonic()
        if event.done < event.total and now - self._told.get(event.name, -SECONDS_BETWEEN) < SECONDS_BETWEEN:
            return False
        self._told[event.name] = now
        return True
