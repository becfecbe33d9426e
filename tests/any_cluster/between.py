"""What stands between a client and the stand-in's API server: a guard that asks for certificates, a proxy."""

from __future__ import annotations

import asyncio
import base64
import ssl
import threading
from typing import Any
from urllib.parse import urlsplit

import trustme

from tests.any_cluster.by_hand import Handwritten


class Between:
    """Listens on loopback while it is entered, in a thread of its own.

    Args:
        tls: of who connects; None: none.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.port = 0

    def __enter__(self) -> Any:
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls))
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def serve(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        raise NotImplementedError

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(20)

    def _accept(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self.serve(near, back))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # one that is cancelled before it carries never comes to its own closing
        task.add_done_callback(lambda _: back.transport.abort())

    async def _close(self) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0.05)  # asyncio tells nobody when a connection that was aborted is closed


class Passage(Between):
    """Carries connections to a cluster's API server as they are, and counts them.

    Args:
        written: whose cluster it stands before.
    """

    def __init__(self, written: Handwritten) -> None:
        super().__init__()
        self._to = urlsplit(written.cluster["server"])
        self.connections = 0

    async def serve(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """Count, then carry."""
        self.connections += 1
        far, onward = await asyncio.open_connection(self._to.hostname, self._to.port)
        await carry((near, onward), (far, back))


class Guarded(Between):
    """Lets only those through who present a certificate; their requests go on to the API server.

    Args:
        written: whose cluster it stands before.
        authority: signs the certificates that are let through.
    """

    def __init__(self, written: Handwritten, authority: trustme.CA) -> None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.verify_mode = ssl.CERT_REQUIRED
        authority.configure_trust(tls)
        self._own = trustme.CA()
        self._own.issue_cert("127.0.0.1").configure_cert(tls)
        super().__init__(tls)
        self._to = urlsplit(written.cluster["server"])
        self._onward = ssl.create_default_context(cadata=written.authority.decode())
        self.subjects: set[str] = set()

    @property
    def cluster(self) -> dict[str, str]:
        """What a kubeconfig says of it."""
        return {
            "server": f"https://127.0.0.1:{self.port}",
            "certificate_authority_data": base64.b64encode(self._own.cert_pem.bytes()).decode(),
        }

    async def serve(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """Look at the certificate, then carry."""
        names = back.get_extra_info("peercert").get("subjectAltName", ())
        self.subjects |= {str(name[1]) for name in names}
        far, onward = await asyncio.open_connection(self._to.hostname, self._to.port, ssl=self._onward)
        await carry((near, onward), (far, back))


class Proxy(Between):
    """A proxy by CONNECT that notes who asked for what.

    Args:
        tls: of who connects; None: none.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(tls)
        self.asked: set[str] = set()
        self.logins: set[str] = set()

    async def serve(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """Connect, then carry."""
        first, *headers = (await near.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        self.asked.add(first.rpartition(" ")[0])
        for header in headers:
            name, _, value = header.partition(": ")
            if name.lower() == "proxy-authorization":
                self.logins.add(base64.b64decode(value.removeprefix("Basic ")).decode())
        host, _, port = first.split(" ")[1].rpartition(":")
        far, onward = await asyncio.open_connection(host, int(port))
        back.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await carry((near, onward), (far, back))


async def carry(*ways: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
    """Carry bytes both ways until either side ends."""

    async def one_way(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()

    tasks = [asyncio.create_task(one_way(*way)) for way in ways]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for _, sink in ways:
            sink.transport.abort()
