"""Downloads: the bytes of an object, whole or a range, streamed from disk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from rehearsal.byte_ranges import send
from rehearsal.content import StoredContent
from rehearsal.principals import PRINCIPAL
from rehearsal.storage.access import Access, Demand
from rehearsal.storage.blobs import Blobs
from rehearsal.storage.catalogue import Catalogue, etag
from rehearsal.storage.preconditions import check


class Downloads:
    """Handlers of requests that take bytes.

    Args:
        catalogue: where the objects are known.
        blobs: where their bytes are.
        access: who may read them.
    """

    def __init__(self, catalogue: Catalogue, blobs: Blobs, access: Access) -> None:
        self._catalogue = catalogue
        self._blobs = blobs
        self._access = access

    async def handle(self, request: web.Request, bucket: str, name: str) -> web.StreamResponse:
        """Answer GET, or HEAD, of an object's media."""
        self._access.check(request.get(PRINCIPAL), [Demand("storage.objects.get", bucket)])
        row = self._catalogue.object(bucket, name, request.query.get("generation"))
        check(row, request.query, reading=True)
        content = StoredContent(self._blobs.path(row["blob"]), int(row["size"]))
        return await send(request, content, _headers(row))


def _headers(row: Mapping[str, Any]) -> dict[str, str]:
    hashes = [f"crc32c={row['crc32c']}", *([f"md5={row['md5Hash']}"] if "md5Hash" in row else [])]
    headers = {
        "Content-Type": row.get("contentType", "application/octet-stream"),
        "ETag": etag(int(row["generation"]), int(row["metageneration"])),
        "X-Goog-Generation": row["generation"],
        "X-Goog-Metageneration": row["metageneration"],
        "X-Goog-Storage-Class": row["storageClass"],
        "X-Goog-Stored-Content-Length": row["size"],
        "X-Goog-Stored-Content-Encoding": row.get("contentEncoding", "identity"),
        "X-Goog-Hash": ",".join(hashes),
    }
    named = {
        "Cache-Control": "cacheControl",
        "Content-Disposition": "contentDisposition",
        "Content-Language": "contentLanguage",
    }
    headers |= {header: row[key] for header, key in named.items() if key in row}
    return headers | {f"X-Goog-Meta-{key}": str(value) for key, value in row.get("metadata", {}).items()}
