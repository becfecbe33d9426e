"""What a broken network does to one connection."""

from __future__ import annotations

import socket
import struct
from abc import ABC, abstractmethod
from asyncio import Transport
from collections.abc import Iterable
from typing import Any, NoReturn

from aiohttp import web

HEAD_END = b"\r\n\r\n"


def reset(request: web.Request) -> None:
    """Drop the request's TCP connection with RST, as a dying proxy does."""
    if request.transport is None:
        return
    connection = request.transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()


def truncate(request: web.Request, body_bytes: int) -> None:
    """Let only the head and the first bytes of the answer's body through, then close the connection.

    Args:
        request: the request whose answer will be cut.
        body_bytes: how much of the body passes.
    """
    if request.transport is not None:
        request.protocol.transport = TruncatingTransport(request.transport, body_bytes)  # type: ignore[assignment]  # it is a transport in all that aiohttp asks of one


def flip(request: web.Request, position: int) -> None:
    """Turn one bit of the answer's body over, and let everything else through.

    Args:
        request: the request whose answer will be wrong.
        position: of the byte, counted from 0.
    """
    if request.transport is not None:
        request.protocol.transport = FlippingTransport(request.transport, position)  # type: ignore[assignment]  # as above


class _BodyTransport(ABC):
    """A transport that does something to the body of one answer.

    Args:
        transport: the connection's own transport.
        body_bytes: up to where the body passes as it is.
    """

    def __init__(self, transport: Transport, body_bytes: int) -> None:
        self._transport = transport
        self._left = body_bytes
        self._head: bytes | None = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    @property
    def _sendfile_compatible(self) -> NoReturn:
        """Make aiohttp write files chunk by chunk, for asyncio's sendfile would go past this object."""
        raise NotImplementedError

    def writelines(self, chunks: Iterable[bytes]) -> None:
        """Send some chunks as one."""
        self.write(b"".join(chunks))

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send a part of the answer."""
        body = self._after_head(bytes(data))
        if body is not None and not self._transport.is_closing():
            self._send(body)
            self._left -= len(body)

    @abstractmethod
    def _send(self, body: bytes) -> None:
        """Send a piece of the body, or what is made of it."""

    def _after_head(self, data: bytes) -> bytes | None:
        """Send the answer's head, and return what follows it."""
        if self._head is None:
            return data
        self._head += data
        if HEAD_END not in self._head:
            return None
        head, _, body = self._head.partition(HEAD_END)
        self._transport.write(head + HEAD_END)
        self._head = None
        return body or None


class TruncatingTransport(_BodyTransport):
    """Closes the connection after a part of the body."""

    def _send(self, body: bytes) -> None:
        self._transport.write(body[: self._left])
        if len(body) >= self._left:
            self._transport.close()


class FlippingTransport(_BodyTransport):
    """Turns over the lowest bit of one byte of the body."""

    def _send(self, body: bytes) -> None:
        if 0 <= self._left < len(body):
            body = b"%b%c%b" % (body[: self._left], body[self._left] ^ 1, body[self._left + 1 :])
        self._transport.write(body)
