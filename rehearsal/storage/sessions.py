"""Resumable uploads: sessions that take an object in pieces and outlive the process."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from typing import Any

from rehearsal.documents import Document
from rehearsal.storage import checksums
from rehearsal.storage.blobs import Blobs
from rehearsal.storage.catalogue import Catalogue
from rehearsal.storage.content_range import ContentRange
from rehearsal.storage.drafts import GRANULE, Draft
from rehearsal.storage.errors import StorageError, UploadError
from rehearsal.storage.objects import Objects
from rehearsal.storage.preconditions import PARAMETERS

_LIFETIME = 7 * 86400


class Sessions:
    """All resumable uploads.

    Args:
        catalogue: where they are kept.
        blobs: where their bytes go.
        objects: what commits them.
    """

    def __init__(self, catalogue: Catalogue, blobs: Blobs, objects: Objects) -> None:
        self._rows = catalogue.uploads
        self._blobs = blobs
        self._objects = objects
        self._drafts: dict[str, Draft] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def start(
        self,
        bucket: str,
        attributes: Mapping[str, Any],
        query: Mapping[str, str],
        headers: Mapping[str, str],
    ) -> str:
        """Open a session; what would be refused at the end is refused now.

        Returns:
            the upload's id, which is all that is needed to go on with it: a secret.
        """
        name = self._objects.admit(bucket, query.get("name") or attributes.get("name"), query)
        content_type = headers.get("X-Upload-Content-Type", "application/octet-stream")
        length = headers.get("X-Upload-Content-Length", "")
        upload = secrets.token_urlsafe(48)
        self._rows[upload] = {
            "bucket": bucket,
            "name": name,
            "attributes": {"contentType": content_type} | dict(attributes),
            "conditions": {key: query[key] for key in PARAMETERS if key in query},
            "promised": checksums.promised(attributes, headers),
            "total": int(length) if length.isdigit() else None,
            "draft": secrets.token_hex(16),
            "started": time.time(),
        }
        return upload

    async def receive(
        self, upload: str, part: ContentRange, headers: Mapping[str, str], stream: AsyncIterator[bytes]
    ) -> Document | int:
        """Take one request's bytes.

        Args:
            part: which bytes the stream brings.
            stream: where it breaks off, what came is kept up to a multiple of 256 KiB.
        Returns:
            the bucket and row of the finished object, or how many bytes are safe.
        Raises:
            UploadError: the session is not there, or the bytes do not fit.
            StorageError: the object is complete but wrong, or a condition failed; the session has ended.
        """
        async with self._locks[upload]:
            session = self._session(upload)
            if "done" in session:
                return {"bucket": session["bucket"], "row": session["done"]}
            session["promised"] |= checksums.promised({}, headers)
            draft = await self._draft(upload, session)
            if part.first is None:
                if part.total == draft.persisted:
                    return await self._finish(upload, session, draft)
                return draft.persisted
            _refuse_misfit(part, draft.persisted, session["total"])
            await _pour(stream, draft, skip=draft.persisted - part.first, keep_rest=part.final)
            if part.final:
                return await self._finish(upload, session, draft)
            return draft.persisted

    async def cancel(self, upload: str) -> None:
        """Forget a session and what it holds."""
        async with self._locks[upload]:
            self._end(upload, self._session(upload))

    def live_drafts(self) -> set[str]:
        """Name the drafts of the sessions that can still go on; those that have expired end here."""
        for upload, session in list(self._rows.items()):
            if time.time() - session["started"] > _LIFETIME:
                del self._rows[upload]
        return {session["draft"] for session in self._rows.values()}

    def _session(self, upload: str) -> Document:
        session = self._rows.get(upload)
        if session is None:
            raise UploadError(404, "Not Found")
        if time.time() - session["started"] > _LIFETIME:
            self._end(upload, session)
            raise UploadError(410, "Gone")
        return session

    async def _draft(self, upload: str, session: Document) -> Draft:
        if upload not in self._drafts:
            self._drafts[upload] = await self._blobs.reopen(session["draft"])
        return self._drafts[upload]

    async def _finish(self, upload: str, session: Document, draft: Draft) -> Document:
        content = await draft.finish()
        bucket, conditions = session["bucket"], session["conditions"]
        try:
            checksums.compare(session["promised"], content)
            row = self._objects.commit(bucket, session["name"], session["attributes"], content, conditions)
        except StorageError:
            self._end(upload, session)
            raise
        self._rows[upload] = session | {"done": row}
        self._forget(upload)
        return {"bucket": bucket, "row": row}

    def _end(self, upload: str, session: Document) -> None:
        self._forget(upload)
        self._blobs.discard_draft(session["draft"])
        del self._rows[upload]

    def _forget(self, upload: str) -> None:
        self._drafts.pop(upload, None)
        self._locks.pop(upload, None)


def _refuse_misfit(part: ContentRange, persisted: int, total: int | None) -> None:
    if part.first is not None and part.first > persisted:
        raise UploadError(
            400,
            f"Invalid request.  According to the Content-Range header, the upload offset is {part.first}"
            f" byte(s), which exceeds already uploaded size of {persisted} byte(s).",
        )
    if None not in (total, part.total) and total != part.total:
        raise UploadError(
            400,
            f"Invalid request.  The upload was begun for {total} byte(s), but according to the Content-Range"
            f" header it has {part.total} byte(s).",
        )
    if not part.final and part.length is not None and part.length < GRANULE:
        raise UploadError(
            400,
            "Invalid request.  The number of bytes uploaded is required to be equal or greater than"
            f" {GRANULE}, except for the final request (it's recommended to be the exact multiple of"
            f" {GRANULE}).  The received request contained {part.length} bytes, which"
            " does not meet this requirement.",
        )


async def _pour(stream: AsyncIterator[bytes], draft: Draft, *, skip: int, keep_rest: bool) -> None:
    """Move a stream into a draft without the bytes that it already has; `keep_rest` is for the last piece."""
    whole = False
    try:
        async for piece in stream:
            await draft.append(piece[skip:])
            skip = max(0, skip - len(piece))
        whole = True
    finally:
        if not (whole and keep_rest):
            await draft.cut()
