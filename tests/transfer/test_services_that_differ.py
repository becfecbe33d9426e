"""Hubs and buckets that do what the protocols allow, or what they should not, but the stand-in never does."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from runbook.engine.errors import FailedError, PassingError
from runbook.transfer.files import Consignment, Delivery, HubFile
from runbook.transfer.journal import Checkpoint, Journal
from runbook.transfer.move import Move
from runbook.transfer.refusals import retry_after
from runbook.transfer.session import StoredObject
from runbook.transfer.surroundings import Surroundings
from tests.steps_gke.workplace import Voice

CONTENT = bytes(range(256)) * 4096


class Server(BaseHTTPRequestHandler):
    """Hub and bucket in one; a test says what is special."""

    protocol_version = "HTTP/1.1"
    answer_get: Callable[[Server], None]
    kept: bytearray
    spans: list[str]
    keeps: list[int]

    def do_GET(self) -> None:
        type(self).answer_get(self)

    def do_PUT(self) -> None:
        """Keep what comes, or as little of it as the test says, and make the object when all is there."""
        cls, body = type(self), self.rfile.read(int(self.headers["Content-Length"]))
        span = self.headers["Content-Range"].removeprefix("bytes ")
        cls.spans.append(span)
        cls.kept += body[: cls.keeps.pop(0)] if cls.keeps and body else body
        if span.rpartition("/")[2] == str(len(cls.kept)):
            self.say(200, b'{"size": "%d", "crc32c": "", "generation": "1"}' % len(cls.kept))
        else:
            self.say(308, b"", {"Range": f"bytes=0-{len(cls.kept) - 1}"} if cls.kept else {})

    def say(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Stay quiet."""


class Opener:
    """Opens the one session of the server."""

    def __init__(self, address: str) -> None:
        self._address = address

    def open(self, delivery: Delivery) -> str:
        return f"{self._address}/session"

    def held(self, delivery: Delivery) -> StoredObject | None:
        return None


@contextmanager
def serving(get: Callable[[Server], None], keeps: list[int]) -> Iterator[tuple[str, type[Server]]]:
    kind = type("Told", (Server,), {"answer_get": get, "kept": bytearray(), "spans": [], "keeps": keeps})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", kind
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def move(address: str, folder: Path, checkpoint: Checkpoint | None = None, content: bytes = CONTENT) -> Move:
    file = HubFile("shard", len(content), f"sha256:{hashlib.sha256(content).hexdigest()}")
    delivery = Delivery(file, "made/shard", {}, 0)
    order = Consignment(address, None, "a/b", "0" * 40, "models", [delivery], 1, 2.0, together=False)
    journal = Journal(folder / "transfer.jsonl", "models", pytest.fail)
    if checkpoint:
        journal.keep(delivery, checkpoint)
    return Move(Surroundings(order, Opener(address), journal, Voice(), threading.Event()), delivery)


def whole(server: Server) -> None:
    """A hub that knows no ranges."""
    server.say(200, CONTENT)


def longer(server: Server) -> None:
    server.say(200, CONTENT + b"more")


def another_range(server: Server) -> None:
    server.say(206, CONTENT[5:], {"Content-Range": f"bytes 5-{len(CONTENT) - 1}/{len(CONTENT)}"})


def test_a_file_that_is_longer_than_the_hub_lists_is_not_moved(tmp_path: Path) -> None:
    with serving(longer, []) as (address, server), pytest.raises(FailedError, match="has 1048580 bytes"):
        move(address, tmp_path).commit()
    assert bytes(server.kept) == b""


def test_a_hub_that_knows_no_ranges_is_read_from_the_beginning(tmp_path: Path) -> None:
    with serving(whole, []) as (address, server):
        server.kept += CONTENT[: 256 << 10]
        move(address, tmp_path, Checkpoint(f"{address}/session", None), CONTENT).prepare()
    assert bytes(server.kept) == CONTENT[: len(server.kept)]
    assert server.spans[:2] == ["*/*", "262144-786431/*"]


def test_another_range_than_was_asked_for_is_not_taken(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("runbook.transfer.move.seconds_after", lambda *_: 0.0)
    with serving(another_range, []) as (address, server), pytest.raises(PassingError, match="another range"):
        move(address, tmp_path).commit()
    assert bytes(server.kept) == b""


def test_what_was_not_kept_of_the_last_bytes_is_sent_again_and_only_that(tmp_path: Path) -> None:
    content = b"0123456789"

    def small(server: Server) -> None:
        server.say(200, content)

    with serving(small, [4]) as (address, server), pytest.raises(FailedError, match="crc32c"):
        move(address, tmp_path, content=content).commit()
    assert server.spans[:2] == ["0-9/10", "4-9/10"]
    assert bytes(server.kept) == content


def test_an_object_whose_checksum_is_another_is_not_taken_for_right(tmp_path: Path) -> None:
    with serving(whole, []) as (address, _), pytest.raises(FailedError, match="crc32c ; the hub lists"):
        move(address, tmp_path).commit()


def test_what_the_bucket_did_not_keep_in_the_middle_is_sent_again(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("runbook.transfer.move.seconds_after", lambda *_: 0.0)
    with serving(whole, [256 << 10]) as (address, server):
        move(address, tmp_path).prepare()
    assert bytes(server.kept) == CONTENT[: len(server.kept)]
    assert server.spans == ["0-786431/*", "*/*", "262144-786431/*"]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after": "7"}, 7.0),
        ({"Retry-After": "86400"}, 300.0),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0.0),
        ({"RateLimit": '"resolvers";r=0;t=55'}, 55.0),
        ({"RateLimit": '"resolvers";r=120;t=55'}, None),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
def test_a_busy_service_says_how_long_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_what_a_finished_session_made_is_not_believed_when_it_is_gone(tmp_path: Path) -> None:
    with serving(whole, []) as (address, server):
        server.kept += CONTENT
        server.spans.append("done")

        def finished(self: Server) -> None:
            if server.spans == ["done"]:
                server.spans.append("asked")
                self.rfile.read(int(self.headers["Content-Length"]))
                self.say(200, b'{"size": "%d", "crc32c": "", "generation": "1"}' % len(CONTENT))
                server.kept.clear()
                return
            Server.do_PUT(self)

        server.do_PUT = finished  # type: ignore[method-assign] # a special server
        move(address, tmp_path, Checkpoint(f"{address}/session", None)).prepare()
    assert bytes(server.kept) == CONTENT[: len(server.kept)]
    assert len(server.kept) == 786432
