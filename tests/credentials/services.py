"""What a login meets: a `gcloud` on the PATH that counts its calls, and services that look at the token."""

from __future__ import annotations

import json
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

RENEWED_BEFORE = timedelta(minutes=3, seconds=45)
"""google-auth asks for another token so long before the end of the present one."""

PROGRAM = """\
#!{python}
import json, os, pathlib, sys
folder = pathlib.Path({folder!r})
with open(folder / "calls", "a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
number = len((folder / "calls").read_text().splitlines())
answer = json.loads((folder / "answer").read_text())
if answer.get("error"):
    sys.exit(answer["error"])
from datetime import datetime, timedelta, timezone
ends = datetime.now(timezone.utc) + timedelta(seconds=answer["lasts"])
token = answer.get("token") or f"token-{{number}}"
credential = {{"access_token": token, "token_expiry": ends.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}}
print(json.dumps({{"credential": credential}}))
"""


@dataclass
class Gcloud:
    """A `gcloud` program that knows `config config-helper` and nothing else.

    Args:
        folder: put it first on the PATH.
    """

    folder: Path

    def install(self) -> None:
        """Write the program."""
        program = self.folder / "gcloud"
        program.write_text(PROGRAM.format(python=sys.executable, folder=str(self.folder)))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        self.gives()

    def gives(self, *, token: str = "", usable: float = 3600) -> None:
        """Let it give tokens from now on.

        Args:
            token: always this one; empty: token-1, token-2, ...
            usable: for how many seconds a token is used before another is asked for.
        """
        answer = {"token": token, "lasts": usable + RENEWED_BEFORE.total_seconds()}
        (self.folder / "answer").write_text(json.dumps(answer))

    def fails(self, error: str) -> None:
        """Let it end with an error."""
        (self.folder / "answer").write_text(json.dumps({"error": error}))

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of each call."""
        path = self.folder / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


Answer = tuple[int, Any]


@dataclass
class Service:
    """An HTTP service on loopback that keeps what it is asked.

    Args:
        url: its base address.
        answer: gives status and body for method, path and bearer token.
    """

    url: str
    answer: Callable[[str, str, str], Answer]
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def tokens(self) -> list[str]:
        """The bearer tokens that it got, in order, each once."""
        return list(dict.fromkeys(token for _, _, token in self.asked))


@contextmanager
def service(answer: Callable[[str, str, str], Answer]) -> Iterator[Service]:
    """Serve for a while.

    Args:
        answer: gives status and body for method, path and bearer token.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            asked = (self.command, self.path, token)
            opened.asked.append(asked)
            status, body = answer(*asked)
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _serve  # noqa: N815 - http.server's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    opened = Service(f"http://127.0.0.1:{server.server_address[1]}", answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield opened
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def accepting(*tokens: str) -> Callable[[str, str, str], Answer]:
    """Answer as an API without any clusters, to these tokens only; to any where none is named."""

    def answer(method: str, path: str, token: str) -> Answer:
        if token in tokens or (not tokens and token):
            return 200, {}
        message = "Request had invalid authentication credentials."
        return 401, {"error": {"code": 401, "message": message, "status": "UNAUTHENTICATED"}}

    return answer


def refusing(status: int, message: str) -> Callable[[str, str, str], Answer]:
    """Answer everything with one of Google's errors."""
    return lambda method, path, token: (status, {"error": {"code": status, "message": message}})


def in_an_hour() -> str:
    """Give a time as the IAM Service Account Credentials API does."""
    return (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
