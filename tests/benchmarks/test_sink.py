from __future__ import annotations

import base64
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import google_crc32c
import pytest
import requests

ROOT = Path(__file__).parents[2]
CONTENT = bytes(range(256)) * 4096


class StandIn(BaseHTTPRequestHandler):
    """Says what it was asked."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.path.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def sink() -> Iterator[str]:
    """The sink's address, before a stand-in that says what it was asked."""
    with HTTPServer(("127.0.0.1", 0), StandIn) as stand_in:
        thread = threading.Thread(target=stand_in.serve_forever)
        thread.start()
        command = [sys.executable, "-m", "benchmarks.transfer.sink", f"127.0.0.1:{stand_in.server_port}"]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
            process.terminate()
        stand_in.shutdown()
        thread.join()


def session(sink: str, name: str, **query: str) -> requests.Response:
    return requests.post(
        f"{sink}/upload/storage/v1/b/models/o",
        params={"uploadType": "resumable", "name": name, **query},
        json={"metadata": {"digest": "sha256:1"}},
        timeout=10,
    )


def put(address: str, span: str, data: bytes = b"", **headers: str) -> requests.Response:
    return requests.put(address, data=data, headers={"Content-Range": f"bytes {span}", **headers}, timeout=10)


def crc32c(data: bytes) -> str:
    return base64.b64encode(google_crc32c.Checksum(data).digest()).decode()


def listed(sink: str, prefix: str) -> dict[str, Any]:
    items = requests.get(f"{sink}/storage/v1/b/models/o", params={"prefix": prefix}, timeout=10).json()
    return {item["name"]: item for item in items["items"]}


def test_an_upload_goes_on_where_the_sink_says_and_leaves_name_size_checksum_and_metadata(sink: str) -> None:
    upload = session(sink, "a/pieces").headers["Location"]
    half, size = len(CONTENT) // 2, len(CONTENT)
    first = put(upload, f"0-{half - 1}/*", CONTENT[:half])
    asked = put(upload, f"*/{size}")
    assert [(answer.status_code, answer.headers["Range"]) for answer in (first, asked)] == [
        (308, f"bytes=0-{half - 1}")
    ] * 2
    resent = put(upload, f"{half - 1024}-{size - 1}/{size}", CONTENT[half - 1024 :])
    assert (resent.status_code, resent.json()["crc32c"]) == (200, crc32c(CONTENT))
    assert put(upload, f"*/{size}").json() == resent.json()
    found = listed(sink, "a/")["a/pieces"]
    assert (found["size"], found["metadata"]) == (str(size), {"digest": "sha256:1"})


def test_a_wrong_checksum_is_refused_and_leaves_no_object(sink: str) -> None:
    upload = session(sink, "b/wrong").headers["Location"]
    refused = put(upload, "0-3/4", b"abcd", **{"X-Goog-Hash": f"crc32c={crc32c(b'abce')}"})
    assert refused.status_code == 400
    assert listed(sink, "b/") == {}


def test_an_object_that_is_there_is_not_made_anew_where_the_client_says_so(sink: str) -> None:
    put(session(sink, "c/once").headers["Location"], "0-3/4", b"abcd")
    assert session(sink, "c/once", ifGenerationMatch="0").status_code == 412


def test_a_session_that_was_given_up_is_gone(sink: str) -> None:
    upload = session(sink, "d/given-up").headers["Location"]
    assert requests.delete(upload, timeout=10).status_code == 499
    assert put(upload, "0-3/4", b"abcd").status_code == 404


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_an_object_in_one_request_is_counted_without_its_wrapping(sink: str, end: str) -> None:
    parts = ["--x", "Content-Type: application/json", "", '{"name": "e/small"}', "--x", "A: b", "", "1\n\n2"]
    body = end.join([*parts, "--x--", ""])
    url = f"{sink}/upload/storage/v1/b/models/o?uploadType=multipart"
    made = requests.post(url, data=body, headers={"User-Agent": "gcloud"}, timeout=10).json()
    assert (made["size"], made["crc32c"]) == ("4", crc32c(b"1\n\n2"))
    assert made["md5Hash"]


def test_what_is_no_object_s_affair_goes_to_the_stand_in(sink: str) -> None:
    asked = requests.get(f"{sink}/storage/v1/b/models?fields=name", timeout=10)
    assert asked.text == "/storage/v1/b/models?fields=name"
