"""The log of every request that the stand-in got: one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


class RequestLog:
    """The requests in the order in which they were answered.

    Args:
        path: the file of JSON lines; it is made with the first request.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, api: str, method: str, path: str, status: int, milliseconds: float) -> None:
        """Keep one request.

        Args:
            api: "container", "storage", "kubernetes"...
            method: GET, POST...
            path: with its query, as it came.
            status: the HTTP status of the answer; 0 when none was sent.
            milliseconds: from the request's head to the answer's end.
        """
        entry = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "api": api,
            "method": method,
            "path": path,
            "status": status,
            "ms": round(milliseconds, 1),
        }
        with self._path.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(entry) + "\n")

    def entries(self) -> Iterator[dict[str, Any]]:
        """Read all requests back, oldest first."""
        if not self._path.exists():
            return
        with self._path.open(encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)

    def clear(self) -> None:
        """Forget all requests."""
        self._path.unlink(missing_ok=True)
