"""Downloads: the bytes of an object, whole or a range, streamed from disk."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from rehearsal.storage.blobs import Blobs
from rehearsal.storage.catalogue import Catalogue, etag
from rehearsal.storage.preconditions import check

_PIECE = 1024 * 1024


class Downloads:
    """Handlers of requests that take bytes.

    Args:
        catalogue: where the objects are known.
        blobs: where their bytes are.
    """

    def __init__(self, catalogue: Catalogue, blobs: Blobs) -> None:
        self._catalogue = catalogue
        self._blobs = blobs

    async def handle(self, request: web.Request, bucket: str, name: str) -> web.StreamResponse:
        """Answer GET, or HEAD, of an object's media."""
        row = self._catalogue.object(bucket, name, request.query.get("generation"))
        check(row, request.query, reading=True)
        size = int(row["size"])
        wanted = byte_range(request.headers.get("Range"), size)
        headers = _headers(row)
        if wanted is None:
            refusal = f"The requested range cannot be satisfied.: {request.headers['Range']}"
            return web.Response(status=416, headers={"Content-Range": f"bytes */{size}"}, text=refusal)
        response = web.StreamResponse(status=206 if "Range" in request.headers else 200, headers=headers)
        response.content_length = len(wanted)
        if response.status == 206:
            response.headers["Content-Range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{size}"
        await response.prepare(request)
        if request.method != "HEAD":
            await send(response, self._blobs.path(row["blob"]), wanted)
        await response.write_eof()
        return response


async def send(response: web.StreamResponse, path: Path, wanted: range) -> None:
    """Stream some bytes of a file, a MiB at a time."""
    with path.open("rb") as file:
        file.seek(wanted.start)
        for start in range(wanted.start, wanted.stop, _PIECE):
            size = min(_PIECE, wanted.stop - start)
            await response.write(await asyncio.to_thread(file.read, size))


def byte_range(header: str | None, size: int) -> range | None:
    """Read a Range header of one range.

    Returns:
        the offsets to send; None where the file has none of them. Without a header, or with one that is not
        understood, the whole file, as RFC 9110 says.
    """
    asked = re.fullmatch(r"bytes=(\d*)-(\d*)", header or "")
    if not asked or not (asked[1] or asked[2]):
        return range(size)
    if not asked[1]:
        start, stop = max(0, size - int(asked[2])), size
    else:
        start, stop = int(asked[1]), min(size, int(asked[2]) + 1 if asked[2] else size)
    return range(start, stop) if start < stop else None


def _headers(row: Mapping[str, Any]) -> dict[str, str]:
    hashes = [f"crc32c={row['crc32c']}", *([f"md5={row['md5Hash']}"] if "md5Hash" in row else [])]
    headers = {
        "Content-Type": row.get("contentType", "application/octet-stream"),
        "ETag": etag(int(row["generation"]), int(row["metageneration"])),
        "Accept-Ranges": "bytes",
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
