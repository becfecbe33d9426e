"""Content over HTTP: the bytes that a Range header asks for, streamed."""

from __future__ import annotations

import re

from aiohttp import web

from rehearsal.content import Content


async def send(request: web.Request, content: Content, headers: dict[str, str]) -> web.StreamResponse:
    """Answer GET or HEAD with content, or the part of it that the request's Range asks for.

    Args:
        headers: what else to say of it.
    """
    size = content.size
    wanted = byte_range(request.headers.get("Range"), size)
    if wanted is None:
        refusal = f"The requested range cannot be satisfied: {request.headers['Range']}"
        return web.Response(status=416, headers={"Content-Range": f"bytes */{size}"}, text=refusal)
    partial = "Range" in request.headers
    response = web.StreamResponse(status=206 if partial else 200, headers=headers)
    response.headers["Accept-Ranges"] = "bytes"
    response.content_length = len(wanted)
    if partial:
        response.headers["Content-Range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{size}"
    await response.prepare(request)
    if request.method != "HEAD":
        async for piece in content.pieces(wanted):
            await response.write(piece)
    await response.write_eof()
    return response


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
