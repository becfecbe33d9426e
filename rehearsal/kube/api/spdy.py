"""kubectl's port-forward: SPDY streams inside one WebSocket, a pair of streams for each connection."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Protocol

from aiohttp import WSMsgType, web

from rehearsal.kube.api.spdy_frames import (
    DATA,
    FLAG_FIN,
    PING,
    RST_STREAM,
    SYN_STREAM,
    Frame,
    FrameReader,
    FrameWriter,
)

PROTOCOL = "SPDY/3.1+portforward.k8s.io"
_BLOCK = 64 * 1024


class Ports(Protocol):
    """Where connections are made to."""

    async def connect(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection to a port."""
        ...


class SpdyTunnel:
    """One kubectl port-forward session.

    kubectl opens two streams for each local connection: an error stream, then a data stream with the same
    requestID. What arrives on the data stream before the Pod's port has answered is kept in order.
    """

    def __init__(self, socket: web.WebSocketResponse, ports: Ports) -> None:
        self._socket = socket
        self._ports = ports
        self._reader = FrameReader()
        self._writer = FrameWriter()
        self._error_streams: dict[str, int] = {}
        self._inboxes: dict[int, asyncio.Queue[bytes | None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Carry frames until the client closes the WebSocket."""
        try:
            async for message in self._socket:
                if message.type is WSMsgType.BINARY:
                    for frame in self._reader.feed(message.data):
                        await self._take(frame)
        finally:
            for task in self._tasks:
                task.cancel()

    async def _take(self, frame: Frame) -> None:
        if frame.type == SYN_STREAM:
            await self._open(frame)
        elif frame.type == DATA and frame.stream in self._inboxes:
            inbox = self._inboxes[frame.stream]
            if frame.payload:
                await inbox.put(frame.payload)
            if frame.flags & FLAG_FIN:
                await inbox.put(None)
        elif frame.type == RST_STREAM and frame.stream in self._inboxes:
            await self._inboxes[frame.stream].put(None)
        elif frame.type == PING:
            await self._send(self._writer.pong(frame))

    async def _open(self, frame: Frame) -> None:
        headers = self._reader.headers(frame)
        await self._send(self._writer.reply(frame.stream))
        request = headers.get("requestid", "")
        if headers.get("streamtype") == "error":
            self._error_streams[request] = frame.stream
        elif headers.get("streamtype") == "data":
            self._inboxes[frame.stream] = asyncio.Queue()
            error_stream = self._error_streams.pop(request, None)
            task = asyncio.create_task(self._carry(frame.stream, error_stream, int(headers["port"])))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, stream: int, error_stream: int | None, port: int) -> None:
        """Carry one connection, and close both of its streams when it has ended."""
        failure = b""
        try:
            reader, writer = await self._ports.connect(port)
        except ConnectionError as error:
            failure = str(error).encode()
        else:
            sending = asyncio.create_task(self._to_pod(writer, self._inboxes[stream]))
            with contextlib.suppress(ConnectionError):
                while data := await reader.read(_BLOCK):
                    await self._send(self._writer.data(stream, data))
            sending.cancel()
            writer.close()
        del self._inboxes[stream]
        if error_stream is not None:
            await self._send(self._writer.data(error_stream, failure, last=True))
        await self._send(self._writer.data(stream, b"", last=True))

    async def _to_pod(self, writer: asyncio.StreamWriter, inbox: asyncio.Queue[bytes | None]) -> None:
        with contextlib.suppress(ConnectionError):
            while (data := await inbox.get()) is not None:
                writer.write(data)
                await writer.drain()
            writer.write_eof()

    async def _send(self, data: bytes) -> None:
        with contextlib.suppress(ConnectionError):
            await self._socket.send_bytes(data)
