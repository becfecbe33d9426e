"""The stand-in's own APIs, asked over their sockets as any client asks them: a scenario gets no side door."""

from __future__ import annotations

import json
import ssl
from types import TracebackType
from typing import Any

import aiohttp

from rehearsal.front.errors import GoogleError
from rehearsal.world import World

APPLY = "application/apply-patch+yaml"


class Callers:
    """One session with the google port, the hub and the clusters' API servers.

    Args:
        world: the stand-in; its listeners are up.
    """

    def __init__(self, world: World) -> None:
        self._endpoints = json.loads((world.home / "endpoints.json").read_text())
        self._trust = ssl.create_default_context(cafile=world.home / "ca.pem")
        self._session = aiohttp.ClientSession(headers={"Authorization": f"Bearer {world.token}"})

    async def __aenter__(self) -> Callers:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def google(self, method: str, path: str, body: Any = None) -> bytes:
        """Ask Cloud Storage or another API of the google port.

        Args:
            path: with its query.
            body: bytes as they are, anything else as JSON.

        Raises:
            GoogleError: 400, with what the API said.
        """
        return await self._ask(method, self._endpoints["google"] + path, body, "application/json")

    async def hub(self, path: str) -> bytes:
        """Read from the hub, without a token, as it is public.

        Raises:
            GoogleError: 400, with what the hub said.
        """
        async with aiohttp.ClientSession() as session, session.get(self._endpoints["hub"] + path) as answer:
            return await _content(answer)

    async def kubernetes(
        self, endpoint: str, method: str, path: str, body: Any = None, content_type: str = "application/json"
    ) -> Any:
        """Ask a cluster's API server.

        Args:
            endpoint: its host and port.

        Raises:
            GoogleError: 400, with what the API server said.
        """
        return json.loads(await self._ask(method, f"https://{endpoint}{path}", body, content_type))

    async def _ask(self, method: str, url: str, body: Any, content_type: str) -> bytes:
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        headers = {} if body is None else {"Content-Type": content_type}
        async with self._session.request(
            method, url, data=data, headers=headers, ssl=self._trust if url.startswith("https:") else True
        ) as answer:
            return await _content(answer)


async def _content(answer: aiohttp.ClientResponse) -> bytes:
    content = await answer.read()
    if answer.ok:
        return content
    raise GoogleError(400, f"scenario: {answer.method} {answer.url.path}: {answer.status} {content.decode()}")
