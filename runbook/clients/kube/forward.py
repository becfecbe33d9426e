"""A port of this machine that leads to a Service's Pods: as `kubectl port-forward`, but it outlives a Pod.

Each connection picks a ready Pod afresh and travels in one WebSocket (v4.channel.k8s.io): every frame begins
with a channel number, 0 for data and 1 for errors; the first frame of each channel only repeats the port.
"""

from __future__ import annotations

import asyncio
import errno
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Final

import aiohttp

from runbook.clients.kube.client import KubeClient
from runbook.clients.kube.service import Target, find_target
from runbook.engine.errors import ConflictError, FailedError, Place, RunbookError

LOCALHOST: Final = "127.0.0.1"
_PROTOCOL: Final = "v4.channel.k8s.io"
_DATA, _ERROR = 0, 1
_PORTS_TRIED: Final = 20
_CHUNK: Final = 256 * 1024
_GRACE_SECONDS: Final = 0.5


class Forward:
    """A listening port of this machine.

    Args:
        client: the cluster.
        find: picks the target of a new connection; it runs in a thread.
        port: the local port; 0 takes any free one.
        tell: told why a connection failed; the program that made it only sees that it was closed.
    """

    def __init__(
        self, client: KubeClient, find: Callable[[], Target], port: int, tell: Callable[[str], None]
    ) -> None:
        self._client = client
        self._find = find
        self._wanted = port
        self._tasks: set[asyncio.Task[None]] = set()
        self._tell = tell
        self.port = 0

    @property
    def address(self) -> str:
        """The base URL, such as `http://127.0.0.1:8000`."""
        return f"http://{LOCALHOST}:{self.port}"

    async def serve(self, opened: Future[Callable[[], object]]) -> None:
        """Listen until told to stop.

        Args:
            opened: gets what stops it when the port listens, or the reason why it does not.
        """
        closing = asyncio.Event()
        loop = asyncio.get_running_loop()
        connector = aiohttp.TCPConnector(limit=0, ssl=self._client.access.tls)
        async with aiohttp.ClientSession(connector=connector) as session:
            try:
                server = await self._listen(session)
            except OSError as error:
                opened.set_exception(error)
                return
            opened.set_result(lambda: loop.call_soon_threadsafe(closing.set))
            async with server:
                await closing.wait()
                server.close()
                if self._tasks:
                    # what the other side has just closed ends by itself, and takes its sockets along
                    await asyncio.wait(self._tasks, timeout=_GRACE_SECONDS)
                while self._tasks:
                    for task in self._tasks:
                        task.cancel()
                    await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _listen(self, session: aiohttp.ClientSession) -> asyncio.Server:
        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            # a task of asyncio's own would print a traceback when it is cancelled at the end (Python 3.11)
            task = asyncio.create_task(self._carry(session, reader, writer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            # a task that is cancelled before it begins never comes to its own closing
            task.add_done_callback(lambda _: writer.transport.abort())

        for port in range(self._wanted, self._wanted + _PORTS_TRIED):
            try:
                server = await asyncio.start_server(accept, LOCALHOST, port if self._wanted else 0)
            except OSError as error:
                if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                    raise
                continue
            self.port = server.sockets[0].getsockname()[1]
            return server
        raise OSError(
            errno.EADDRINUSE, f"ports {self._wanted} to {self._wanted + _PORTS_TRIED - 1} are taken"
        )

    async def _carry(
        self, session: aiohttp.ClientSession, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            target = await asyncio.to_thread(self._find)
            async with session.ws_connect(
                self._url(target),
                protocols=(_PROTOCOL,),
                headers=await asyncio.to_thread(self._client.access.login.headers),
                server_hostname=self._client.access.server_name,
                proxy=self._client.access.proxy,
                max_msg_size=0,
                compress=0,
            ) as socket:
                await self._exchange(socket, reader, writer)
        except (aiohttp.ClientError, RunbookError, OSError) as error:
            self._tell(f"the port-forward lost a connection: {error}")
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _exchange(
        self,
        socket: aiohttp.ClientWebSocketResponse,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        up = asyncio.create_task(_send(socket, reader))
        down = asyncio.create_task(self._receive(socket, writer))
        try:
            # When either side ends nothing is left to carry: the protocol knows no half-closed connection.
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            up.cancel()
            await socket.close()
            await asyncio.gather(up, down, return_exceptions=True)

    async def _receive(self, socket: aiohttp.ClientWebSocketResponse, writer: asyncio.StreamWriter) -> None:
        begun = set()
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.BINARY:
                return
            channel, data = message.data[0], message.data[1:]
            if channel not in begun:
                begun.add(channel)
            elif channel == _DATA:
                writer.write(data)
                await writer.drain()
            elif channel == _ERROR and data:
                self._tell(f"the port-forward lost a connection: {data.decode('utf-8', 'replace')}")
                return

    def _url(self, target: Target) -> str:
        pod = f"{self._client.access.address}/api/v1/namespaces/{target.namespace}/pods/{target.pod}"
        return f"{pod}/portforward?ports={target.port}"


async def _send(socket: aiohttp.ClientWebSocketResponse, reader: asyncio.StreamReader) -> None:
    prefix = bytes([_DATA])
    while data := await reader.read(_CHUNK):
        await socket.send_bytes(prefix + data)


@contextmanager
def forward(
    client: KubeClient,
    namespace: str,
    service: str,
    port: int,
    local_port: int,
    tell: Callable[[str], None],
) -> Iterator[Forward]:
    """Lead a port of this machine to a Service for as long as the block lasts.

    Args:
        service: its name.
        port: of the Service.
        local_port: the port to listen on; the next free one when it is taken, any when it is 0.
        tell: told, in another thread, why a connection failed.

    Raises:
        ConflictError: none of the ports is free.
        FailedError: it could not listen within ten seconds.
    """
    carrier = Forward(client, lambda: find_target(client, namespace, service, port), local_port, tell)
    opened: Future[Callable[[], object]] = Future()
    thread = threading.Thread(
        target=lambda: asyncio.run(carrier.serve(opened)), name="port-forward", daemon=True
    )
    thread.start()
    stop = _awaited(opened)
    try:
        yield carrier
    finally:
        stop()
        thread.join()


def _awaited(opened: Future[Callable[[], object]]) -> Callable[[], object]:
    try:
        return opened.result(timeout=10)
    except TimeoutError as error:
        raise FailedError("the port-forward did not begin to listen within 10 s") from error
    except OSError as error:
        raise ConflictError(
            f"no port to listen on: {error.strerror}",
            place=Place("smoke.local_port"),
            remedy="set another one",
        ) from error
