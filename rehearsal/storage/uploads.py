"""The upload paths over HTTP: media, multipart and resumable."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
from aiohttp import web

from rehearsal.documents import Document
from rehearsal.principals import PRINCIPAL
from rehearsal.storage import checksums
from rehearsal.storage.access import Access, Demand
from rehearsal.storage.blobs import Blobs
from rehearsal.storage.content_range import parse
from rehearsal.storage.drafts import Content
from rehearsal.storage.errors import StorageError, UploadError
from rehearsal.storage.fields import select
from rehearsal.storage.multipart import Multipart
from rehearsal.storage.objects import Objects, resource
from rehearsal.storage.sessions import Sessions

_UPLOAD_ID = "X-GUploader-UploadID"


class Uploads:
    """Handlers of requests that bring bytes.

    Args:
        objects: what commits them.
        blobs: where they go.
        sessions: the resumable uploads; the address of one is all that is needed to go on with it.
        access: who may begin one.
    """

    def __init__(self, objects: Objects, blobs: Blobs, sessions: Sessions, access: Access) -> None:
        self._access = access
        self._objects = objects
        self._blobs = blobs
        self._sessions = sessions

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer POST, PUT and DELETE of .../b/{bucket}/o."""
        upload = request.query.get("upload_id")
        if upload and request.method == "DELETE":
            await self._sessions.cancel(upload)
            return web.Response(status=499, reason="Client Closed Request")
        if upload:
            return await self._continue(request, upload)
        if request.method != "POST":
            raise UploadError(400, "Missing upload_id.")
        kind = request.query.get("uploadType")
        if kind == "resumable" or request.path.startswith("/resumable/"):
            return await self._begin(request)
        if kind == "multipart":
            return await self._multipart(request)
        if kind == "media":
            return await self._media(request)
        raise StorageError(400, "invalid", f"Invalid upload type: {kind}")

    async def store(
        self,
        bucket: str,
        name: str | None,
        attributes: Mapping[str, Any],
        request: web.Request,
        stream: AsyncIterator[bytes],
    ) -> Document:
        """Take a whole object from one request.

        Returns:
            its row.
        """
        query = request.query
        self._check(request, bucket, name)
        name = self._objects.admit(bucket, name, query)
        content = await self._draw(stream)
        try:
            checksums.compare(checksums.promised(attributes, request.headers), content)
        except StorageError:
            self._blobs.discard_draft(content.blob)
            raise
        return self._objects.commit(bucket, name, attributes, content, query)

    def _check(self, request: web.Request, bucket: str, name: str | None) -> None:
        self._access.check(request.get(PRINCIPAL), [Demand("storage.objects.create", bucket, name or "")])

    async def _draw(self, stream: AsyncIterator[bytes]) -> Content:
        draft = self._blobs.draft()
        content = None
        try:
            async for piece in stream:
                await draft.append(piece)
            content = await draft.finish()
        finally:
            if content is None:
                draft.path.unlink(missing_ok=True)
        return content

    async def _media(self, request: web.Request) -> web.Response:
        attributes = {"contentType": request.headers.get("Content-Type", "application/octet-stream")}
        bucket, name = request.match_info["bucket"], request.query.get("name")
        row = await self.store(bucket, name, attributes, request, unbroken(request))
        return _answer(request, bucket, row)

    async def _multipart(self, request: web.Request) -> web.Response:
        parts = Multipart(unbroken(request), request.headers.get("Content-Type", ""))
        attributes = await parts.attributes()
        bucket, name = request.match_info["bucket"], request.query.get("name") or attributes.get("name")
        row = await self.store(bucket, name, attributes, request, parts.content())
        return _answer(request, bucket, row)

    async def _begin(self, request: web.Request) -> web.Response:
        try:
            attributes = json.loads(await request.read() or b"{}")
        except ValueError:
            raise StorageError(400, "parseError", "Parse Error") from None
        bucket = request.match_info["bucket"]
        self._check(request, bucket, request.query.get("name") or attributes.get("name"))
        upload = self._sessions.start(bucket, attributes, request.query, request.headers)
        location = request.url.with_query({"uploadType": "resumable", "upload_id": upload})
        return web.Response(headers={"Location": str(location), _UPLOAD_ID: upload})

    async def _continue(self, request: web.Request, upload: str) -> web.Response:
        part = parse(request.headers.get("Content-Range"), request.content_length)
        result = await self._sessions.receive(upload, part, request.headers, unbroken(request))
        if isinstance(result, dict):
            return _answer(request, result["bucket"], result["row"])
        headers = {_UPLOAD_ID: upload}
        if result:
            headers["Range"] = f"bytes=0-{result - 1}"
        return web.Response(status=308, reason="Resume Incomplete", headers=headers)


async def unbroken(request: web.Request) -> AsyncIterator[bytes]:
    """Read a request's body; where the client breaks off, so does this.

    Raises:
        UploadError: the connection was cut, so nobody will read this.
    """
    try:
        async for piece in request.content.iter_any():
            yield piece
    except (aiohttp.ClientError, OSError) as error:
        raise UploadError(400, f"The request body broke off: {error}") from error


def _answer(request: web.Request, bucket: str, row: Mapping[str, Any]) -> web.Response:
    shown = resource(bucket, row, f"{request.scheme}://{request.host}")
    return web.json_response(select(shown, request.query.get("fields")))
