"""The XML API's paths to one object: GET, HEAD, PUT and DELETE of /{bucket}/{object}."""

from __future__ import annotations

from xml.sax.saxutils import escape

from aiohttp import web

from rehearsal.principals import PRINCIPAL
from rehearsal.storage.access import Access, Demand
from rehearsal.storage.catalogue import Catalogue
from rehearsal.storage.downloads import Downloads
from rehearsal.storage.errors import StorageError
from rehearsal.storage.objects import Objects
from rehearsal.storage.uploads import Uploads, unbroken

_CODES = {
    304: "NotModified",
    400: "InvalidArgument",
    403: "AccessDenied",
    404: "NoSuchKey",
    412: "PreconditionFailed",
}
_CONDITIONS = {"x-goog-if-generation-match": "ifGenerationMatch"}


class Xml:
    """Handlers of the XML API.

    Args:
        catalogue: what is there.
        objects, downloads, uploads, access: what the JSON API works with too.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        objects: Objects,
        downloads: Downloads,
        uploads: Uploads,
        access: Access,
    ) -> None:
        self._access = access
        self._catalogue = catalogue
        self._objects = objects
        self._downloads = downloads
        self._uploads = uploads

    def add_routes(self, app: web.Application) -> None:
        """Serve /{bucket}/{object}; a bucket's name is never as short as `v1`."""
        path = "/{bucket:[a-z0-9][a-z0-9._-]+[a-z0-9]}/{object:.+}"
        app.router.add_route("*", path, self.handle)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        try:
            return await self._handle(request, request.match_info["bucket"], request.match_info["object"])
        except StorageError as error:
            return _refusal(error)

    async def _handle(self, request: web.Request, bucket: str, name: str) -> web.StreamResponse:
        if request.method in ("GET", "HEAD"):
            return await self._downloads.handle(request, bucket, name)
        if request.method == "DELETE":
            self._access.check(request.get(PRINCIPAL), [Demand("storage.objects.delete", bucket)])
            self._objects.remove(bucket, self._catalogue.object(bucket, name))
            return web.Response(status=204)
        if request.method != "PUT" or request.query:
            raise StorageError(
                400, "invalid", f"The rehearsal does not emulate {request.method} of {request.path_qs}"
            )
        attributes = {"contentType": request.headers.get("Content-Type", "application/octet-stream")}
        row = await self._uploads.store(bucket, name, attributes, request, unbroken(request))
        return web.Response(headers={"X-Goog-Generation": row["generation"]})


def _refusal(error: StorageError) -> web.Response:
    code = (
        "NoSuchBucket"
        if "bucket does not exist" in error.message
        else _CODES.get(error.status, "InvalidArgument")
    )
    body = (
        "<?xml version='1.0' encoding='UTF-8'?>"
        f"<Error><Code>{code}</Code><Message>{escape(error.message)}</Message></Error>"
    )
    return web.Response(status=error.status, body=body.encode(), content_type="application/xml")
