"""SPDY/3.1 frames, as far as port-forwarding uses them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

SYN_STREAM, SYN_REPLY, RST_STREAM, PING, GOAWAY = 1, 2, 3, 6, 7
FLAG_FIN = 1
DATA = 0
_CONTROL = 0x8000
_VERSION = 3
_WORDS = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language"
    " accept-ranges age allow authorization cache-control connection content-base content-encoding"
    " content-language content-length content-location content-md5 content-range content-type date etag"
    " expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since"
    " last-modified location max-forwards pragma proxy-authenticate proxy-authorization range referer"
    " retry-after server te trailer transfer-encoding upgrade user-agent vary via warning"
    " www-authenticate method get status"
)
_TAIL = (
    b"100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    b"203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized"
    b"403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
    b"Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
    b"chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,"
    b"text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)


def _dictionary() -> bytes:
    """Build the dictionary that both sides' header compression starts from (SPDY/3 draft, 2.6.10.1)."""
    words = [
        *_WORDS.split(),
        "200 OK",
        "version",
        "HTTP/1.1",
        "url",
        "public",
        "set-cookie",
        "keep-alive",
        "origin",
    ]
    return b"".join(struct.pack(">I", len(word)) + word.encode() for word in words) + _TAIL


HEADER_DICTIONARY = _dictionary()


@dataclass(frozen=True)
class Frame:
    """One frame.

    Args:
        type: DATA (0), or the type of a control frame.
        stream: the stream's number; 0 for frames that are about no stream.
    """

    type: int
    flags: int
    stream: int
    payload: bytes


class FrameReader:
    """Cuts a byte stream into frames and unpacks header blocks."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._inflate = zlib.decompressobj(zdict=HEADER_DICTIONARY)

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take in bytes and give the frames that are complete."""
        self._buffer += data
        while len(self._buffer) >= 8:
            first, second = struct.unpack_from(">II", self._buffer)
            flags, length = second >> 24, second & 0xFFFFFF
            if len(self._buffer) < 8 + length:
                return
            payload = bytes(self._buffer[8 : 8 + length])
            del self._buffer[: 8 + length]
            if first >> 31:
                stream = struct.unpack_from(">I", payload)[0] & 0x7FFFFFFF if length >= 4 else 0
                yield Frame(first & 0xFFFF, flags, stream, payload)
            else:
                yield Frame(DATA, flags, first, payload)

    def headers(self, frame: Frame) -> dict[str, str]:
        """Unpack the headers of a SYN_STREAM; each must be unpacked, in the order of arrival."""
        block = self._inflate.decompress(frame.payload[10:])
        (count,) = struct.unpack_from(">I", block)
        headers, at = {}, 4
        for _ in range(count):
            name, at = _text(block, at)
            headers[name], at = _text(block, at)
        return headers


def _text(block: bytes, at: int) -> tuple[str, int]:
    (length,) = struct.unpack_from(">I", block, at)
    end = at + 4 + length
    return block[at + 4 : end].decode(), end


class FrameWriter:
    """Packs frames, with the header compression of one connection."""

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(zdict=HEADER_DICTIONARY)

    def reply(self, stream: int) -> bytes:
        """Accept a stream, with no headers."""
        block = self._deflate.compress(struct.pack(">I", 0)) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        return _control(SYN_REPLY, 0, struct.pack(">I", stream) + block)

    def data(self, stream: int, data: bytes, *, last: bool = False) -> bytes:
        """Carry data; `last` closes our side of the stream."""
        flags = FLAG_FIN if last else 0
        return struct.pack(">II", stream, (flags << 24) | len(data)) + data

    def pong(self, ping: Frame) -> bytes:
        """Answer a ping with itself."""
        return _control(PING, 0, ping.payload)


def _control(kind: int, flags: int, payload: bytes) -> bytes:
    first = ((_CONTROL | _VERSION) << 16) | kind
    return struct.pack(">II", first, (flags << 24) | len(payload)) + payload
