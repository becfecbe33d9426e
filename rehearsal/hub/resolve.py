"""Files by name: small ones straight from the hub, those in LFS by a redirect to the CDN."""

from __future__ import annotations

import json
from pathlib import Path

from aiohttp import web

from rehearsal.byte_ranges import send
from rehearsal.hub.cdn import Signer
from rehearsal.hub.errors import answering
from rehearsal.hub.files import File
from rehearsal.hub.repositories import Repositories


class Resolve:
    """Handlers of /{repository}/resolve/{revision}/{path}.

    Args:
        repositories: what is there.
        signer: of the CDN's URLs.
        endpoints: the file with the address of the CDN, under the key `cdn`.
    """

    def __init__(self, repositories: Repositories, signer: Signer, endpoints: Path) -> None:
        self._repositories = repositories
        self._signer = signer
        self._endpoints = endpoints

    def add_routes(self, app: web.Application) -> None:
        """Serve them."""
        path = "/{owner:[^/]+}/{name:[^/]+}/resolve/{revision:[^/]+}/{path:.+}"
        app.router.add_get(path, answering(self.handle))

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer GET, or HEAD."""
        name = f"{request.match_info['owner']}/{request.match_info['name']}"
        repository = await self._repositories.open(name, request.headers.get("Authorization"))
        commit = repository.at(request.match_info["revision"])
        file = commit.file(request.match_info["path"])
        headers = {
            "X-Repo-Commit": commit.sha,
            "ETag": f'"{file.etag}"',
            "Content-Disposition": f'inline; filename="{Path(file.path).name}"',
        }
        if file.sha256:
            return self._redirect(file, headers)
        headers["Content-Type"] = "text/plain; charset=utf-8"
        return await send(request, file.content, headers)

    def _redirect(self, file: File, headers: dict[str, str]) -> web.Response:
        cdn: str = json.loads(self._endpoints.read_text())["cdn"]
        headers |= {
            "Location": cdn + self._signer.sign(f"/lfs/{file.sha256}"),
            "X-Linked-Etag": f'"{file.etag}"',
            "X-Linked-Size": str(file.size),
        }
        return web.Response(status=302, headers=headers, text="Found. Redirecting to the CDN")
