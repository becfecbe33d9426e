"""A port of this machine that leads to a Service's Pods: as `kubectl port-forward`, but it outlives a Pod.

Each connection picks a ready Pod afresh and travels in one WebSocket of its own.
"""

from __future__ import annotations

import asyncio
import errno
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Final

import aiohttp

from runbook.clients.kube.access import Remedies
from runbook.clients.kube.client import KubeClient
from runbook.clients.kube.failures import unaccepted
from runbook.clients.kube.look import Look
from runbook.clients.kube.service import Target, find_targets
from runbook.clients.kube.tunnel import CHUNK, PROTOCOL, carry
from runbook.engine.errors import (
    ConflictError,
    CredentialsError,
    FailedError,
    PassingError,
    Place,
    RunbookError,
)

LOCALHOST: Final = "127.0.0.1"
LOST: Final = "the port-forward lost a connection"
_PORTS_TRIED: Final = 20
_GRACE_SECONDS: Final = 0.5
_LAST_PORT: Final = 65535
_BACKLOG: Final = 1024
_PODS_TRIED: Final = 3
_PING_SECONDS: Final = 30.0
_CLOSE_SECONDS: Final = 1.0
_LETTING_GO_SECONDS: Final = 0.1


class Forward:
    """A listening port of this machine.

    Args:
        client: the cluster.
        find: lists what a new connection may lead to; it runs in a thread.
        port: the local port; 0 takes any free one.
        tell: told why a connection failed; the program that made it only sees that it was closed.
    """

    def __init__(
        self,
        client: KubeClient,
        find: Callable[[], Sequence[Target]],
        port: int,
        tell: Callable[[str], None],
    ) -> None:
        self._client = client
        # the login is renewed in the same thread: it may have to ask for a token
        self._look = Look(lambda: (find(), client.access.login.headers()))
        self._wanted = port
        self._tasks: set[asyncio.Task[None]] = set()
        self._tell = tell
        self.port = 0

    @property
    def address(self) -> str:
        """The base URL, such as `http://127.0.0.1:8000`."""
        return f"http://{LOCALHOST}:{self.port}"

    @property
    def open_connections(self) -> int:
        """How many connections are carried now."""
        return len(self._tasks)

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
                self._look.cancel()
                if self._tasks:
                    # what the other side has just closed ends by itself, and takes its sockets along
                    await asyncio.wait(self._tasks, timeout=_GRACE_SECONDS)
                while self._tasks:
                    for task in self._tasks:
                        task.cancel()
                    await asyncio.gather(*self._tasks, return_exceptions=True)
        # a TLS connection that was closed lets go of its socket a little later, and tells nobody
        await asyncio.sleep(_LETTING_GO_SECONDS)

    async def _listen(self, session: aiohttp.ClientSession) -> asyncio.Server:
        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            # a task of asyncio's own would print a traceback when it is cancelled at the end (Python 3.11)
            task = asyncio.create_task(self._carry(session, reader, writer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            # a task that is cancelled before it begins never comes to its own closing
            task.add_done_callback(lambda _: writer.transport.abort())

        for port in self._ports():
            try:
                server = await asyncio.start_server(accept, LOCALHOST, port, limit=CHUNK, backlog=_BACKLOG)
            except OSError as error:
                if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                    raise
                continue
            self.port = server.sockets[0].getsockname()[1]
            return server
        tried = self._ports()
        raise OSError(errno.EADDRINUSE, f"ports {tried[0]} to {tried[-1]} are taken")

    def _ports(self) -> range:
        if not self._wanted:
            return range(1)
        return range(self._wanted, min(self._wanted + _PORTS_TRIED, _LAST_PORT + 1))

    async def _carry(
        self, session: aiohttp.ClientSession, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            async with await self._opened(session) as socket:
                lost = await carry(socket, reader, writer)
            if lost:
                self._tell(f"{LOST}: {lost}")
        except (aiohttp.ClientError, RunbookError, OSError) as error:
            self._tell(f"{LOST}: {error}")
        except asyncio.CancelledError:
            writer.transport.abort()  # what is still to be written may have no reader
            raise
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _opened(self, session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
        """Reach a ready Pod; one that went between the look and the connection gives way to another."""
        for _ in range(_PODS_TRIED):
            targets, headers = await self._look.fresh()
            target = random.choice(targets)  # noqa: S311 - spreads connections over the Pods
            try:
                return await session.ws_connect(
                    self._url(target),
                    protocols=(PROTOCOL,),
                    headers=headers,
                    server_hostname=self._client.access.server_name,
                    proxy=self._client.access.proxy,
                    max_msg_size=0,
                    compress=0,
                    heartbeat=_PING_SECONDS,
                    timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_SECONDS),
                )
            except aiohttp.WSServerHandshakeError as error:
                refused = _refusal(error.status, target, self._client.access.remedies)
                if not isinstance(refused, PassingError):
                    raise refused from error
        raise refused

    def _url(self, target: Target) -> str:
        pod = f"{self._client.access.address}/api/v1/namespaces/{target.namespace}/pods/{target.pod}"
        return f"{pod}/portforward?ports={target.port}"


def _refusal(status: int, target: Target, remedies: Remedies) -> RunbookError:
    """Make the error of a WebSocket that the API server did not open."""
    place = Place(f"GET pods/{target.pod}/portforward")
    if status == 401:
        return unaccepted(place, remedies)
    if status == 403:
        # create is needed from Kubernetes 1.35 on, also where the request is a GET
        return CredentialsError(
            f"this login may not forward ports of Pods in namespace {target.namespace}",
            place=place,
            remedy="have somebody grant it get and create on pods/portforward",
        )
    return PassingError(f"the API server does not lead to Pod {target.pod} ({status})", place=place)


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
    carrier = Forward(client, lambda: find_targets(client, namespace, service, port), local_port, tell)
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
