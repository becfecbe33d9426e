"""As much of Cloud Storage's JSON API as an upload needs; every other request goes to the stand-in."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar
from urllib.parse import parse_qsl, unquote, urlsplit

from benchmarks.transfer.sink.objects import Hashes, Objects, Stored, Upload

_OBJECTS = re.compile(r"(?:/resumable)?(/upload)?/storage/v1/b/([^/]+)/o(?:/([^/]+))?(/compose)?")
_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")
_PIECE = 1 << 20
_DROPPED = ("connection", "transfer-encoding", "content-length", "date", "server")


class Handler(BaseHTTPRequestHandler):
    """One connection; the server runs each on a thread of its own."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    objects: ClassVar[Objects]
    stand_in: ClassVar[str]
    """host:port of the stand-in's google port."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def handle_one(self) -> None:
        """Answer what the path names."""
        address = urlsplit(self.path)
        self.query = dict(parse_qsl(address.query, keep_blank_values=True))
        self.left = int(self.headers.get("Content-Length") or 0)
        asked = _OBJECTS.fullmatch(address.path)
        if not asked:
            self._forward()
            return
        upload, bucket, name, compose = asked.groups()
        if "upload_id" in self.query:
            self._session(self.query["upload_id"])
        elif upload:
            self._begin(bucket)
        elif compose:
            self._compose(bucket, unquote(name))
        elif name:
            self._object(bucket, unquote(name))
        else:
            self._list(bucket)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = handle_one  # noqa: N815  # http.server's names

    def _session(self, key: str) -> None:
        upload = self.objects.uploads.get(key)
        if upload is None:
            self._answer(404)
        elif self.command == "DELETE":
            del self.objects.uploads[key]
            self._answer(499)
        else:
            self._receive(upload)

    def _receive(self, upload: Upload) -> None:
        first, total = self._place()
        self._read(upload.received - first)
        while piece := self.rfile.read1(min(_PIECE, self.left)):
            self.left -= len(piece)
            upload.take(piece)
        if upload.done is None and upload.received == total:
            upload.done = self._finished(upload)
            if upload.done is None:
                return
        if upload.done:
            self._show(upload.done)
        else:
            self._answer(308, headers={"Range": f"bytes=0-{upload.received - 1}"} if upload.received else {})

    def _place(self) -> tuple[int, int | None]:
        """Read where the body belongs, and how long the object is."""
        told = _RANGE.fullmatch(self.headers.get("Content-Range", ""))
        if not told:
            return 0, self.left
        return int(told[1] or 0), None if told[3] == "*" else int(told[3])

    def _finished(self, upload: Upload) -> Stored | None:
        hashes = upload.hashes.document()
        told = re.search(r"crc32c=([^,]+)", self.headers.get("X-Goog-Hash", ""))
        if told and told[1] != hashes["crc32c"]:
            self._answer(400, {"error": {"code": 400, "message": f"crc32c is not {told[1]}"}})
            return None
        return self.objects.store(upload.bucket, upload.name, upload.received, hashes, upload.metadata)

    def _begin(self, bucket: str) -> None:
        kind, body = self.query.get("uploadType"), self._read(self.left)
        told, content = _parts(body) if kind == "multipart" else ({}, body)
        if kind == "resumable":
            told = json.loads(body or b"{}")
        name = self.query.get("name") or told["name"]
        if self.query.get("ifGenerationMatch") == "0" and self.objects.find(bucket, name):
            self._answer(412, {"error": {"code": 412, "message": "it is there already"}})
            return
        hashes = Hashes(md5="gcloud" in self.headers.get("User-Agent", ""))
        upload = Upload(bucket, name, told.get("metadata") or {}, hashes)
        if kind == "resumable":
            key = self.objects.start(upload)
            location = f"{self._origin}/upload/storage/v1/b/{bucket}/o?uploadType=resumable&upload_id={key}"
            self._answer(200, headers={"Location": location})
            return
        upload.take(content)
        made = self._finished(upload)
        if made:
            self._show(made)

    def _compose(self, bucket: str, name: str) -> None:
        parts = [part["name"] for part in json.loads(self._read(self.left))["sourceObjects"]]
        held = [self.objects.find(bucket, part) for part in parts]
        size = sum(part.size for part in held if part)
        self._show(self.objects.store(bucket, name, size, {}, {}))

    def _object(self, bucket: str, name: str) -> None:
        self._read(self.left)
        if self.command == "DELETE":
            self._answer(204 if self.objects.delete(bucket, name) else 404)
        elif found := self.objects.find(bucket, name):
            self._show(found)
        else:
            self._answer(404, {"error": {"code": 404, "message": f"No such object: {bucket}/{name}"}})

    def _list(self, bucket: str) -> None:
        prefix, delimiter = self.query.get("prefix", ""), self.query.get("delimiter", "")
        items, folders = [], set()
        for one in self.objects.under(bucket, prefix):
            head, found, _ = one.name[len(prefix) :].partition(delimiter or "\0")
            if found:
                folders.add(prefix + head + delimiter)
            else:
                items.append(one.document(self._origin))
        self._answer(200, {"kind": "storage#objects", "items": items, "prefixes": sorted(folders)})

    def _forward(self) -> None:
        connection = http.client.HTTPConnection(self.stand_in)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        connection.request(self.command, self.path, self._read(self.left), headers)
        answer = connection.getresponse()
        kept = {name: value for name, value in answer.getheaders() if name.lower() not in _DROPPED}
        self._answer(answer.status, answer.read(), kept)
        connection.close()

    @property
    def _origin(self) -> str:
        return f"http://{self.headers['Host']}"

    def _read(self, size: int) -> bytes:
        body = self.rfile.read(min(size, self.left)) if size > 0 else b""
        self.left -= len(body)
        return body

    def _show(self, stored: Stored) -> None:
        self._answer(200, stored.document(self._origin))

    def _answer(self, status: int, body: Any = b"", headers: Mapping[str, str] | None = None) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = dict(headers or {})
        if not isinstance(body, bytes):
            named["Content-Type"] = "application/json"
        self.send_response(status)
        for name, value in named.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        self.wfile.flush()


def _parts(body: bytes) -> tuple[dict[str, Any], bytes]:
    """Divide multipart/related into its JSON and its content; gcloud ends lines as Unix does."""
    boundary = body.split(b"\n", 1)[0].rstrip()
    told, content = re.split(rb"\r?\n" + re.escape(boundary), b"\r\n" + body)[1:3]
    return json.loads(_without_head(told)), _without_head(content)


def _without_head(part: bytes) -> bytes:
    return re.split(rb"\r?\n\r?\n", part, maxsplit=1)[1]
