"""multipart/related uploads: one part of JSON metadata, one of bytes, read as a stream."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any

from rehearsal.documents import Document
from rehearsal.storage.errors import StorageError

_LONGEST_HEAD = 1024 * 1024


class Multipart:
    """A body in two parts.

    Args:
        stream: the request's body.
        content_type: the request's header, which names the boundary; gcloud puts it in single quotes.
    """

    def __init__(self, stream: AsyncIterator[bytes], content_type: str) -> None:
        boundary = re.search(r"boundary=([\"']?)([^\"';]+)\1", content_type)
        if not boundary:
            raise _malformed()
        self._stream = stream
        self._boundary = boundary[2].encode()
        self._rest = b""
        self._newline = b"\r\n"

    async def attributes(self) -> Document:
        """Read up to the bytes.

        Returns:
            the metadata, with the second part's Content-Type where it names none itself.
        """
        mark = re.escape(self._boundary)
        head = re.compile(
            rb"\s*--" + mark + rb"(\r?\n)(?:[^\r\n]+\r?\n)*\r?\n(.*?)\r?\n"
            rb"--" + mark + rb"\r?\n((?:[^\r\n]+\r?\n)*)\r?\n",
            re.DOTALL,
        )
        while not (found := head.match(self._rest)):
            if len(self._rest) > _LONGEST_HEAD:
                raise _malformed()
            self._rest += await self._next()
        self._newline, self._rest = found[1], self._rest[found.end() :]
        return _content_type(found[3].decode()) | _metadata(found[2])

    async def content(self) -> AsyncIterator[bytes]:
        """Read the bytes of the second part, without the closing boundary."""
        closing = self._newline + b"--" + self._boundary + b"--"
        held, spare = self._rest, len(closing) + 8
        async for piece in self._stream:
            held += piece
            if len(held) > spare:
                yield held[:-spare]
                held = held[-spare:]
        end = held.rfind(closing)
        if end < 0 or held[end + len(closing) :].strip():
            raise _malformed()
        yield held[:end]

    async def _next(self) -> bytes:
        async for piece in self._stream:
            return piece
        raise _malformed()


def _metadata(text: bytes) -> Document:
    try:
        metadata: Any = json.loads(text or b"{}")
    except ValueError:
        raise StorageError(400, "parseError", "Parse Error") from None
    if not isinstance(metadata, dict):
        raise StorageError(400, "parseError", "Parse Error")
    return metadata


def _content_type(headers: str) -> Document:
    found = re.search(r"^content-type:\s*(\S.*?)\s*$", headers, re.IGNORECASE | re.MULTILINE)
    return {"contentType": found[1]} if found else {}


def _malformed() -> StorageError:
    return StorageError(400, "badContent", "Malformed multipart body.")
