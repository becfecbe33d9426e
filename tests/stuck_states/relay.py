"""A way to the API server that can be cut, and that can lead nowhere for a while."""

from __future__ import annotations

import asyncio

from tests.any_cluster.between import Between, carry


class Relay(Between):
    """Carries bytes.

    Args:
        endpoint: where to: host and port.
    """

    def __init__(self, endpoint: str) -> None:
        super().__init__()
        host, _, port = endpoint.rpartition(":")
        self._to = host, int(port)

    @property
    def endpoint(self) -> str:
        """Where it listens: host and port."""
        return f"127.0.0.1:{self.port}"

    async def serve(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """Connect, then carry."""
        try:
            far, onward = await asyncio.open_connection(*self._to)
        except OSError:
            back.transport.abort()
            return
        await carry((near, onward), (far, back))

    def cut(self) -> int:
        """Break off all connections; tell how many there were."""
        return int(self._run(self._cut()))

    def leave(self) -> None:
        """Refuse connections from now on, and break off those that there are."""
        self._run(self._leave())

    def come_back(self) -> None:
        """Take connections again, at the same port."""
        self._server = self._run(asyncio.start_server(self._accept, "127.0.0.1", self.port))

    async def _cut(self) -> int:
        carried = list(self._tasks)
        for task in carried:
            task.cancel()
        await asyncio.gather(*carried, return_exceptions=True)
        return len(carried)

    async def _leave(self) -> None:
        self._server.close()
        await self._cut()
