"""Cloud Storage over HTTP."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from rehearsal.documents import Document
from rehearsal.principals import PRINCIPAL
from rehearsal.storage.access import Access
from rehearsal.storage.batch import Batches
from rehearsal.storage.blobs import Blobs
from rehearsal.storage.buckets import Buckets
from rehearsal.storage.call import Call
from rehearsal.storage.catalogue import Catalogue
from rehearsal.storage.copies import Copies
from rehearsal.storage.downloads import Downloads
from rehearsal.storage.errors import StorageError, UploadError
from rehearsal.storage.folders import Folders
from rehearsal.storage.iam import Policies
from rehearsal.storage.listing import Listing
from rehearsal.storage.objects import Objects
from rehearsal.storage.operations import Operations
from rehearsal.storage.sessions import Sessions
from rehearsal.storage.uploads import Uploads
from rehearsal.storage.view import View
from rehearsal.storage.xml import Xml
from rehearsal.world import World

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def add_routes(app: web.Application, world: World) -> None:
    """Serve Cloud Storage: the JSON API, its upload, download and batch paths, and objects over the XML API.

    Args:
        app: gets the routes; the XML API's /{bucket}/{object} yields to every other route of it.
        world: its `storage` is set; what a kill left half done in its home is removed.
    """
    catalogue, blobs = Catalogue(world.database), Blobs(world.home / "storage")
    world.storage = View(catalogue, blobs)
    objects = Objects(catalogue, blobs)
    sessions = Sessions(catalogue, blobs, objects)
    blobs.sweep(_live_blobs(catalogue), sessions.live_drafts())
    access = Access(catalogue)
    operations = Operations(
        buckets=Buckets(catalogue),
        policies=Policies(catalogue, world.project),
        objects=objects,
        listing=Listing(catalogue),
        copies=Copies(catalogue, blobs, objects),
        folders=Folders(catalogue),
    )
    downloads, uploads = Downloads(catalogue, blobs, access), Uploads(objects, blobs, sessions, access)
    api = _Api(operations, downloads, access)
    for prefix in ("/upload", "/resumable/upload"):
        app.router.add_route("*", prefix + "/storage/v1/b/{bucket}/o", in_json(uploads.handle))
    app.router.add_post("/batch/storage/v1", in_json(Batches(operations, access).handle))
    app.router.add_get("/download/storage/v1/b/{bucket}/o/{object:[^/]+}", in_json(api.media))
    app.router.add_route("*", "/storage/v1/{path:.+}", in_json(api.handle))
    Xml(catalogue, objects, downloads, uploads, access).add_routes(app)


class _Api:
    def __init__(self, operations: Operations, downloads: Downloads, access: Access) -> None:
        self._operations = operations
        self._downloads = downloads
        self._access = access

    async def handle(self, request: web.Request) -> web.StreamResponse:
        path = request.rel_url.raw_path.removeprefix("/storage/v1")
        operation, names, demands = self._operations.find(request.method, path)
        if request.query.get("alt") == "media" and "object" in names and request.method == "GET":
            return await self._downloads.handle(request, names["bucket"], names["object"])
        principal, origin = request.get(PRINCIPAL), f"{request.scheme}://{request.host}"
        self._access.check(principal, demands)
        reply = await operation(Call(names, request.query, await _body(request), origin, principal))
        if reply.document is None:
            return web.Response(status=reply.status)
        return web.json_response(reply.document, status=reply.status)

    async def media(self, request: web.Request) -> web.StreamResponse:
        return await self._downloads.handle(
            request, request.match_info["bucket"], request.match_info["object"]
        )


def in_json(handler: Handler) -> Handler:
    """Answer a handler's StorageErrors in the JSON API's shape, or the upload servers' plain text."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except UploadError as refusal:
            return web.Response(status=refusal.status, text=refusal.message)
        except StorageError as error:
            if error.status == 304:
                return web.Response(status=304)
            return web.json_response(error.document(), status=error.status)

    return answer


async def _body(request: web.Request) -> Document:
    text = await request.read()
    try:
        body: Any = json.loads(text or b"{}")
    except ValueError:
        raise StorageError(400, "parseError", "Parse Error") from None
    if not isinstance(body, dict):
        raise StorageError(400, "parseError", "Parse Error")
    return body


def _live_blobs(catalogue: Catalogue) -> list[str]:
    return [row["blob"] for bucket in catalogue.buckets for row in catalogue.objects(bucket).values()]
