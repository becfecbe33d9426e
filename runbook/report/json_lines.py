"""`--json`: every event as one JSON object a line."""

from __future__ import annotations

import json
from typing import IO

from runbook.engine.events import Event
from runbook.engine.records import event_record


class JsonLines:
    """An observer that writes events to a stream as they come (docs/operations.md has the fields).

    Args:
        stream: where to.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def notify(self, event: Event) -> None:
        """Write the event."""
        print(json.dumps(event_record(event)), file=self._stream, flush=True)
