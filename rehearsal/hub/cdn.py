"""The CDN: large files by their hash, for who brings a URL that the hub signed, until it expires."""

from __future__ import annotations

import hashlib
import hmac
import math
import time

from aiohttp import web

from rehearsal.byte_ranges import send
from rehearsal.hub.repositories import Repositories
from rehearsal.world import World

_DENIED = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    "<Error><Code>AccessDenied</Code><Message>Access denied</Message></Error>"
)


class Signer:
    """Signs paths for a while.

    Args:
        world: its token makes the signatures, its settings say how long they hold.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def sign(self, path: str) -> str:
        """Add an expiry and a signature to a path."""
        expires = str(math.ceil(time.time() + self._world.settings.hub_url_lifetime_s))
        return f"{path}?Expires={expires}&Signature={self._signature(path, expires)}&Key-Pair-Id=REHEARSAL"

    def holds(self, path: str, expires: str, signature: str) -> bool:
        """Tell whether a signature is ours and its time not over."""
        right = hmac.compare_digest(self._signature(path, expires).encode(), signature.encode())
        return right and time.time() < int(expires)

    def _signature(self, path: str, expires: str) -> str:
        return hmac.new(self._world.token.encode(), f"{path} {expires}".encode(), hashlib.sha256).hexdigest()


def add_routes(app: web.Application, repositories: Repositories, signer: Signer) -> None:
    """Serve GET and HEAD of /lfs/{sha256}.

    Args:
        repositories: whose files they are.
        signer: who let the client in.
    """

    async def handle(request: web.Request) -> web.StreamResponse:
        query = request.query
        if not signer.holds(request.path, query.get("Expires", ""), query.get("Signature", "")):
            return web.Response(status=403, text=_DENIED, content_type="application/xml")
        sha256 = request.match_info["sha256"]
        content = await repositories.blob(sha256)
        if content is None:
            return web.Response(status=403, text=_DENIED, content_type="application/xml")
        headers = {"ETag": f'"{sha256}"', "Content-Type": "application/octet-stream"}
        return await send(request, content, headers)

    app.router.add_get("/lfs/{sha256:[0-9a-f]{64}}", handle)
