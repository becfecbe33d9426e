"""A TCP connection passed on to another address, with back-pressure and half-close."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast


class _Side(asyncio.Protocol):
    """One side of a forwarded connection; what it reads, the other side writes."""

    transport: asyncio.Transport | None = None
    other: _Side | None = None
    ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Pass bytes on."""
        if self.other and self.other.transport:
            self.other.transport.write(data)

    def eof_received(self) -> bool:
        """Pass the end of this direction on; the other direction stays open until it ends too."""
        self.ended = True
        if self.other and self.other.transport and self.other.transport.can_write_eof():
            self.other.transport.write_eof()
        return not (self.other and self.other.ended)

    def pause_writing(self) -> None:
        """Stop reading from a side that is faster than this one."""
        if self.other and self.other.transport:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        """Read on."""
        if self.other and self.other.transport:
            self.other.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        """Close the other side as well."""
        self.transport = None
        if self.other and self.other.transport:
            self.other.transport.close()


class Forwarder(_Side):
    """The accepted side: it connects to where the connection is to go.

    Args:
        pick: chooses the address; None drops the connection, as where nobody listens.
        open_ones: the forwarders of connections that are open; it adds and removes itself.
    """

    def __init__(self, pick: Callable[[], tuple[str, int] | None], open_ones: set[Forwarder]) -> None:
        self._pick = pick
        self._open_ones = open_ones
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Read nothing until the other side stands."""
        super().connection_made(transport)
        self._open_ones.add(self)
        cast(asyncio.Transport, transport).pause_reading()
        self._task = asyncio.get_running_loop().create_task(self._connect())

    def connection_lost(self, exc: Exception | None) -> None:
        """Close the other side as well."""
        super().connection_lost(exc)
        self._open_ones.discard(self)

    def abort(self) -> None:
        """Drop the connection on both sides."""
        for side in (self, self.other):
            if side and side.transport:
                side.transport.abort()

    async def _connect(self) -> None:
        address = self._pick()
        other = _Side()
        try:
            if address is None:
                raise ConnectionRefusedError
            await asyncio.get_running_loop().create_connection(lambda: other, *address)
        except OSError:
            if self.transport:
                self.transport.abort()
            return
        self.other, other.other = other, self
        if self.transport is None and other.transport:
            other.transport.close()
        elif self.transport:
            self.transport.resume_reading()
