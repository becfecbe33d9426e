"""One forwarded connection in one WebSocket, in the API server's protocol v4.channel.k8s.io.

Every frame begins with a channel number, 0 for data and 1 for errors; the first frame of each channel only
repeats the port. The protocol knows no half-closed connection: when either side ends, all ends.
"""

from __future__ import annotations

import asyncio
from typing import Final

import aiohttp

PROTOCOL: Final = "v4.channel.k8s.io"
CHUNK: Final = 256 * 1024
"""Bytes that are read of the local side at once."""

_LAST_WORDS_SECONDS: Final = 1.0
_DATA, _ERROR = 0, 1
_BROKEN: Final = "the API server's connection broke"


async def carry(
    socket: aiohttp.ClientWebSocketResponse, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> str | None:
    """Carry bytes both ways until one side ends, then close the WebSocket.

    Args:
        socket: leads to the Pod.
        reader: of the local side.
        writer: to the local side; the caller closes it.

    Returns:
        Why the connection was lost; None where one of the sides ended it.
    """
    up = asyncio.create_task(_send(socket, reader))
    down = asyncio.create_task(_receive(socket, writer))
    try:
        await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        if up.done() and up.result():
            await asyncio.wait({down}, timeout=_LAST_WORDS_SECONDS)  # what came back may say why
        return down.result() if down.done() else up.result()
    finally:
        for task in (up, down):
            task.cancel()
        await asyncio.gather(up, down, return_exceptions=True)
        await socket.close()


async def _send(socket: aiohttp.ClientWebSocketResponse, reader: asyncio.StreamReader) -> str | None:
    prefix = bytes([_DATA])
    try:
        while data := await reader.read(CHUNK):
            await _sent(socket, prefix + data)
    except ConnectionError:  # the local side is gone
        return None
    except aiohttp.ClientError:
        return _BROKEN
    return None


async def _sent(socket: aiohttp.ClientWebSocketResponse, frame: bytes) -> None:
    try:
        await socket.send_bytes(frame)
    except ConnectionError as error:
        raise aiohttp.ClientConnectionError(str(error)) from error


async def _receive(socket: aiohttp.ClientWebSocketResponse, writer: asyncio.StreamWriter) -> str | None:
    begun = set()
    while True:
        message = await socket.receive()
        if message.type is not aiohttp.WSMsgType.BINARY:
            orderly = message.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING}
            return None if orderly else _BROKEN
        channel = message.data[0]
        if channel not in begun:
            begun.add(channel)
        elif channel == _DATA:
            try:
                writer.write(memoryview(message.data)[1:])
                await writer.drain()
            except ConnectionError:  # the local side is gone
                return None
        elif channel == _ERROR and len(message.data) > 1:
            return str(message.data[1:].decode("utf-8", "replace"))
