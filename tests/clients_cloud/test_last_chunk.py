"""The last chunk of an upload, of which Cloud Storage may keep a part: the rest is sent, and only that."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from runbook.clients import transfer
from runbook.clients.file_system import close_file_system, open_file_system

CONTENT = b"0123456789"
KEPT = 4


class Forgetful(BaseHTTPRequestHandler):
    """Keeps four bytes of what it is sent first, and then the rest."""

    protocol_version = "HTTP/1.1"
    spans: tuple[str, ...] = ()

    def do_POST(self) -> None:
        self._read()
        self._answer(200, {"Location": f"http://127.0.0.1:{self.server.server_port}/session"})  # type: ignore[attr-defined] # an HTTPServer

    def do_PUT(self) -> None:
        self._read()
        first = not type(self).spans
        type(self).spans += (self.headers["Content-Range"],)
        self._answer(308 if first else 200, {"Range": f"bytes=0-{KEPT - 1}"} if first else {})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Stay quiet."""

    def _read(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Forgetful)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_what_was_not_kept_of_the_last_chunk_is_sent_again(endpoint: str) -> None:
    file_system = open_file_system("anon", endpoint, "demo-project")
    try:
        draft = transfer.Draft(file_system, "models", "weights", {}, replaces=False)
        draft.write(CONTENT)
        draft.commit()
    finally:
        close_file_system(file_system)
    assert Forgetful.spans == ("bytes 0-9/10", "bytes 4-9/10")
