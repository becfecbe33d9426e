"""The judge of what is printed: the real gcloud; where there is none, what it was recorded to send.

RUNBOOK_TEST_RECORD_GCLOUD=1 writes the recordings anew from the real gcloud.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tests.gke_requests.gcloud_recorder import Gcloud

RECORDINGS = Path(__file__).parent / "recordings"
REFRESH = "RUNBOOK_TEST_RECORD_GCLOUD"
JUDGED_BY = "requests judged by"
"""The property of a test's report that tests/conftest.py counts."""


class Request(Protocol):
    """A write of the runbook, with the command that is printed for it."""

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def body(self) -> Mapping[str, Any] | None: ...
    @property
    def argv(self) -> Sequence[str]: ...


@dataclass(frozen=True)
class Agreement:
    """Compares the runbook's requests with gcloud's.

    Args:
        gcloud: the real one; None where this machine has none.
        tell: notes who judged a kind of change.
        kept: whether the recordings are written anew.
    """

    gcloud: Gcloud | None
    tell: Callable[[str, str], None]
    refresh: bool = field(default_factory=lambda: bool(os.environ.get(REFRESH)))

    def check(
        self, kind: str, request: Request, api: str = "v1", query: Mapping[str, str] | None = None
    ) -> None:
        """Make sure that the printed command sends the runbook's own request, and nothing else.

        Args:
            kind: what is changed, such as `2.3.3 Gateway API`.
            request: the runbook's.
            api: what stands in front of the request's path.
            query: of the runbook's request.
        """
        ours = {"method": request.method, "path": f"/{api}/{request.path}", "body": request.body}
        judged = self.judged(kind, request.argv, self._sent)
        assert [{**write, "query": None} for write in judged] == [{**ours, "query": None}]
        assert (query or {}).items() <= judged[0]["query"].items()

    def judged(self, kind: str, argv: Sequence[str], act: Callable[[Gcloud, Sequence[str]], Any]) -> Any:
        """Give what gcloud makes of a command, now or as recorded.

        Args:
            kind: names the recording.
            argv: the printed command.
            act: runs it and gives what is to be compared.
        """
        file = RECORDINGS / f"{re.sub('[^a-z0-9]+', '-', kind.lower()).strip('-')}.json"
        if self.gcloud is not None:
            made = {"kind": kind, "argv": list(argv), "made": act(self.gcloud, argv)}
            if self.refresh:
                RECORDINGS.mkdir(exist_ok=True)
                file.write_text(json.dumps(made, indent=2, sort_keys=True) + "\n")
        recorded = json.loads(file.read_text())
        assert recorded["argv"] == list(argv), f"{file} was recorded with another command: set {REFRESH}=1"
        if self.gcloud is not None:
            assert recorded == made, f"{file} is not what the real gcloud makes: set {REFRESH}=1"
        self.tell(JUDGED_BY, "gcloud" if self.gcloud is not None else "recordings")
        return recorded["made"]

    @staticmethod
    def _sent(gcloud: Gcloud, argv: Sequence[str]) -> list[dict[str, Any]]:
        seen = gcloud.sent(argv)
        return [
            {"method": method, "path": path, "query": query, "body": body}
            for (method, path, body), query in zip(seen, gcloud.queries, strict=True)
        ]
