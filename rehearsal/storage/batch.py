"""Batches: up to 100 calls of the JSON API in one multipart/mixed request."""

from __future__ import annotations

import json
import re
from email.message import Message
from email.parser import BytesParser
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web
from multidict import MultiDict

from rehearsal.documents import Document
from rehearsal.principals import PRINCIPAL
from rehearsal.storage.access import Access
from rehearsal.storage.call import Call, Reply
from rehearsal.storage.errors import StorageError
from rehearsal.storage.operations import Operations

_MOST_CALLS = 100
_BOUNDARY = "batch_of_the_rehearsal"


class Batches:
    """Carry out the calls of a batch one after the other.

    Args:
        operations: the JSON API.
        access: what may be done of it.
    """

    def __init__(self, operations: Operations, access: Access) -> None:
        self._operations = operations
        self._access = access

    async def handle(self, request: web.Request) -> web.Response:
        """Answer POST /batch/storage/v1; a call that fails does not stop the others."""
        envelope = b"Content-Type: " + request.headers.get("Content-Type", "").encode() + b"\r\n\r\n"
        parts = BytesParser().parsebytes(envelope + await request.read()).get_payload()
        if not isinstance(parts, list) or len(parts) > _MOST_CALLS:
            raise StorageError(
                400, "badRequest", f"A batch has 1 to {_MOST_CALLS} calls, in multipart/mixed."
            )
        answers = [await self._answer(part, request) for part in parts if isinstance(part, Message)]
        body = "".join(f"--{_BOUNDARY}\r\n{answer}\r\n" for answer in answers) + f"--{_BOUNDARY}--\r\n"
        headers = {"Content-Type": f"multipart/mixed; boundary={_BOUNDARY}"}
        return web.Response(body=body.encode(), headers=headers)

    async def _answer(self, part: Message, request: web.Request) -> str:
        try:
            reply = await self._call(part, request)
        except StorageError as error:
            reply = Reply(error.document(), error.status)
        document = "" if reply.document is None else json.dumps(reply.document)
        content_id = (part.get("Content-ID") or "").strip("<>")
        return (
            f"Content-Type: application/http\r\nContent-ID: <response-{content_id}>\r\n\r\n"
            f"HTTP/1.1 {reply.status} {'OK' if reply.status < 300 else 'Error'}\r\n"
            f"Content-Type: application/json; charset=UTF-8\r\nContent-Length: {len(document)}\r\n\r\n"
            f"{document}"
        )

    async def _call(self, part: Message, request: web.Request) -> Reply:
        text = part.get_payload()
        found = re.match(r"\s*(\w+) (\S+) HTTP/1\.1", text) if isinstance(text, str) else None
        if not found or not isinstance(text, str):
            raise StorageError(400, "badRequest", "Failed to parse batch request.")
        url = urlsplit(found[2])
        asked = self._operations.find(found[1], url.path.removeprefix("/storage/v1"))
        principal, origin = request.get(PRINCIPAL), f"{request.scheme}://{request.host}"
        self._access.check(principal, asked.demands)
        query = MultiDict(parse_qsl(url.query, keep_blank_values=True))
        return await asked.operation(Call(asked.names, query, _body(text), origin, principal))


def _body(text: str) -> Document:
    _, _, body = re.sub(r"\r\n", "\n", text).partition("\n\n")
    if not body.strip():
        return {}
    try:
        document: Document = json.loads(body)
    except ValueError:
        raise StorageError(400, "parseError", "Parse Error") from None
    return document
