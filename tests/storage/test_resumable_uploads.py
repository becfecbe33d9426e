from __future__ import annotations

import base64
import hashlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlsplit

import google_crc32c
import pytest
import requests

KIB = 1024
CHUNK = 256 * KIB
BODY = os.urandom(3 * CHUNK + 100)

Serve = Callable[[Path], AbstractContextManager[str]]


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@pytest.fixture
def session(storage_url: str, http: requests.Session) -> str:
    make_bucket(http, storage_url)
    return start(http, storage_url)


def make_bucket(http: requests.Session, url: str) -> None:
    assert http.post(f"{url}/storage/v1/b?project=p1", json={"name": "models"}).status_code == 200


def start(http: requests.Session, url: str, query: str = "", **metadata: str) -> str:
    answer = http.post(
        f"{url}/upload/storage/v1/b/models/o?uploadType=resumable{query}", json={"name": "a"} | metadata
    )
    assert answer.status_code == 200, answer.text
    location: str = answer.headers["Location"]
    return location


def put(
    http: requests.Session, session: str, body: bytes, content_range: str, **headers: str
) -> requests.Response:
    return http.put(session, data=body, headers={"Content-Range": content_range} | headers)


def read(http: requests.Session, url: str) -> requests.Response:
    return http.get(f"{url}/storage/v1/b/models/o/a?alt=media")


def crc32c(body: bytes) -> str:
    return base64.b64encode(google_crc32c.value(body).to_bytes(4, "big")).decode()


def test_a_session_tells_how_far_it_is(http: requests.Session, session: str, storage_url: str) -> None:
    asked = put(http, session, b"", "bytes */*")
    assert (asked.status_code, asked.headers.get("Range")) == (308, None)
    stored = put(http, session, BODY[:CHUNK], f"bytes 0-{CHUNK - 1}/*")
    assert (stored.status_code, stored.headers["Range"]) == (308, f"bytes=0-{CHUNK - 1}")
    asked = put(http, session, b"", f"bytes */{len(BODY)}")
    assert (asked.status_code, asked.headers["Range"]) == (308, f"bytes=0-{CHUNK - 1}")
    assert read(http, storage_url).status_code == 404
    last = put(http, session, BODY[CHUNK:], f"bytes {CHUNK}-{len(BODY) - 1}/{len(BODY)}")
    assert last.json()["md5Hash"] == base64.b64encode(hashlib.md5(BODY).digest()).decode()
    assert read(http, storage_url).content == BODY
    assert put(http, session, b"", f"bytes */{len(BODY)}").json()["generation"] == last.json()["generation"]


def test_a_resent_chunk_changes_nothing(http: requests.Session, session: str, storage_url: str) -> None:
    put(http, session, BODY[: 2 * CHUNK], f"bytes 0-{2 * CHUNK - 1}/*")
    again = put(http, session, BODY[: 2 * CHUNK], f"bytes 0-{2 * CHUNK - 1}/*")
    assert again.headers["Range"] == f"bytes=0-{2 * CHUNK - 1}"
    put(http, session, BODY[CHUNK:], f"bytes {CHUNK}-{len(BODY) - 1}/{len(BODY)}")
    assert read(http, storage_url).content == BODY


def test_chunks_out_of_order_are_refused(http: requests.Session, session: str) -> None:
    refused = put(http, session, BODY[CHUNK : 2 * CHUNK], f"bytes {CHUNK}-{2 * CHUNK - 1}/*")
    assert refused.status_code == 400
    assert (
        f"the upload offset is {CHUNK} byte(s), which exceeds already uploaded size of 0 byte(s)"
        in refused.text
    )


def test_chunks_are_multiples_of_256_kib(http: requests.Session, session: str) -> None:
    assert put(http, session, BODY[:1000], "bytes 0-999/*").status_code == 400
    kept = put(http, session, BODY[: CHUNK + 1000], f"bytes 0-{CHUNK + 999}/*")
    assert kept.headers["Range"] == f"bytes=0-{CHUNK - 1}"


def test_a_body_that_is_not_what_its_range_says_is_refused(http: requests.Session, session: str) -> None:
    assert "There should have been 200 byte(s)" in put(http, session, BODY[:100], "bytes 0-199/200").text
    assert put(http, session, BODY[:100], "bytes 5-3/200").status_code == 400


def test_a_wrong_checksum_commits_nothing(http: requests.Session, session: str, storage_url: str) -> None:
    wrong = put(
        http,
        session,
        BODY,
        f"bytes 0-{len(BODY) - 1}/{len(BODY)}",
        **{"X-Goog-Hash": f"crc32c={crc32c(b'other')}"},
    )
    assert wrong.status_code == 400
    assert f'doesn\'t match calculated CRC32C "{crc32c(BODY)}"' in wrong.json()["error"]["message"]
    assert read(http, storage_url).status_code == 404
    assert put(http, session, b"", "bytes */*").status_code == 404


def test_a_promised_checksum_is_held(http: requests.Session, session: str, storage_url: str) -> None:
    promised = start(http, storage_url, crc32c=crc32c(BODY), md5Hash="nonsense")
    assert "Provided MD5" in http.put(promised, data=BODY).json()["error"]["message"]
    right = start(http, storage_url, crc32c=crc32c(BODY))
    assert http.put(right, data=BODY).json()["crc32c"] == crc32c(BODY)


def test_a_condition_is_held_at_the_start_and_at_the_end(
    http: requests.Session, session: str, storage_url: str
) -> None:
    raced = start(http, storage_url, "&ifGenerationMatch=0")
    assert http.put(session, data=BODY).status_code == 200
    assert http.put(raced, data=b"late").status_code == 412
    refused = http.post(
        f"{storage_url}/upload/storage/v1/b/models/o?uploadType=resumable&ifGenerationMatch=0",
        json={"name": "a"},
    )
    assert (refused.status_code, refused.json()["error"]["errors"][0]["reason"]) == (412, "conditionNotMet")
    assert read(http, storage_url).content == BODY


def test_a_cancelled_session_is_gone(http: requests.Session, session: str) -> None:
    put(http, session, BODY[:CHUNK], f"bytes 0-{CHUNK - 1}/*")
    assert http.delete(session).status_code == 499
    assert put(http, session, b"", "bytes */*").status_code == 404


def test_an_empty_object(http: requests.Session, session: str, storage_url: str) -> None:
    assert put(http, session, b"", "bytes */0").json()["size"] == "0"
    assert read(http, storage_url).content == b""


def test_a_cut_connection_keeps_whole_chunks(
    http: requests.Session, session: str, storage_url: str, tmp_path: Path
) -> None:
    body = os.urandom(2 * KIB * KIB + 1)
    with stuck(session, "PUT", f"bytes 0-{100_000_000 - CHUNK - 1}/*") as wire:
        wire.sendall(body[: KIB * KIB + 1000])
        wait_for_drafts(tmp_path / "cloud")
    kept = int(put(http, session, b"", f"bytes */{len(body)}").headers["Range"].rpartition("-")[2]) + 1
    assert kept >= KIB * KIB
    assert kept % CHUNK == 0
    put(http, session, body[kept:], f"bytes {kept}-{len(body) - 1}/{len(body)}")
    assert read(http, storage_url).content == body


def test_gcloud_uses_a_path_of_its_own(http: requests.Session, session: str, storage_url: str) -> None:
    answer = http.post(
        f"{storage_url}/resumable/upload/storage/v1/b/models/o?uploadType=resumable&name=g", json={}
    )
    assert http.put(answer.headers["Location"], data=b"1").json()["name"] == "g"


def test_a_session_outlives_the_process(http: requests.Session, serve_storage: Serve, tmp_path: Path) -> None:
    home = tmp_path / "own"
    with serve_storage(home) as url:
        make_bucket(http, url)
        session = start(http, url)
        put(http, session, BODY[: 2 * CHUNK], f"bytes 0-{2 * CHUNK - 1}/*")
    with serve_storage(home) as url:
        session = url + session[session.index("/upload") :]
        kept = put(http, session, b"", "bytes */*").headers["Range"]
        assert kept == f"bytes=0-{2 * CHUNK - 1}"
        put(http, session, BODY[2 * CHUNK :], f"bytes {2 * CHUNK}-{len(BODY) - 1}/{len(BODY)}")
        assert read(http, url).content == BODY
        assert http.get(f"{url}/storage/v1/b/models/o/a").json()["crc32c"] == crc32c(BODY)


SERVER = """
import asyncio, sys
from pathlib import Path
from aiohttp import web
from rehearsal.documents import Database
from rehearsal.storage import add_routes
from rehearsal.world import World

async def main(home):
    app = web.Application()
    add_routes(app, World(home=home, token="t", database=Database(home / "documents.sqlite")))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.sleep(600)

asyncio.run(main(Path(sys.argv[1])))
"""


def test_a_kill_leaves_no_half_object(http: requests.Session, serve_storage: Serve, tmp_path: Path) -> None:
    home = tmp_path / "killed"
    home.mkdir()
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(home)], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    url = server.stdout.readline().strip()
    make_bucket(http, url)
    session = start(http, url)
    put(http, session, BODY[:CHUNK], f"bytes 0-{CHUNK - 1}/*")
    with stuck(session, "PUT", f"bytes {CHUNK}-99999999/*") as first:
        first.sendall(os.urandom(KIB * KIB + 1000))
        wait_for_drafts(home)
        with stuck(f"{url}/upload/storage/v1/b/models/o?uploadType=media&name=simple", "POST") as second:
            second.sendall(os.urandom(KIB * KIB + 1000))
            wait_for_drafts(home, 2)
            server.kill()
            server.wait()
            server.stdout.close()
    with serve_storage(home) as again:
        assert http.get(f"{again}/storage/v1/b/models/o").json() == {"kind": "storage#objects"}
        drafts = list((home / "storage" / "drafts").iterdir())
        assert len(drafts) == 1
        session = again + session[session.index("/upload") :]
        kept = put(http, session, b"", "bytes */*").headers["Range"]
        assert (int(kept.rpartition("-")[2]) + 1) % CHUNK == 0
        assert drafts[0].read_bytes()[:CHUNK] == BODY[:CHUNK]


def stuck(url: str, method: str, content_range: str | None = None) -> socket.socket:
    """Open a request whose body never ends."""
    where = urlsplit(url)
    assert where.hostname is not None
    wire = socket.create_connection((where.hostname, where.port or 80))
    head = f"{method} {where.path}?{where.query} HTTP/1.1\r\nHost: x\r\n"
    head += f"Content-Length: {100_000_000 - CHUNK}\r\n"
    head += f"Content-Range: {content_range}\r\n" if content_range else ""
    wire.sendall(head.encode() + b"\r\n")
    return wire


def wait_for_drafts(home: Path, count: int = 1) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        sizes = [path.stat().st_size for path in (home / "storage" / "drafts").iterdir()]
        if len([size for size in sizes if size > CHUNK]) == count:
            return
        time.sleep(0.01)
    pytest.fail("nothing was written")
