"""Answers: JSON, with warnings as headers; errors as Status objects."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing, suppress
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from rehearsal.kube.api.status import ApiError, NothingServedError


def json_answer(document: Any, *, code: int = 200, warnings: Iterable[str] = ()) -> web.Response:
    """Answer with a JSON document.

    Args:
        warnings: each becomes a Warning header, which kubectl prints.
    """
    response = web.Response(
        body=json.dumps(document, separators=(",", ":")).encode(),
        status=code,
        content_type="application/json",
    )
    for warning in warnings:
        quoted = warning.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.add("Warning", f'299 - "{quoted}"')
    return response


async def stream(
    request: web.Request, content_type: str, chunks: AsyncGenerator[bytes]
) -> web.StreamResponse:
    """Answer with chunks as they come, until they end or the client has gone."""
    response = web.StreamResponse(headers={"Content-Type": content_type})
    response.enable_chunked_encoding()
    async with aclosing(chunks):
        with suppress(ConnectionError):
            await response.prepare(request)
            async for chunk in chunks:
                await response.write(chunk)
            await response.write_eof()
    return response


def client_gone(request: web.Request) -> bool:
    """Tell whether the client has closed its connection."""
    return request.transport is None or request.transport.is_closing()


@web.middleware
async def errors_as_status(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every refusal with a Status object; a path that serves nothing as Go's own server does."""
    try:
        return await handler(request)
    except ApiError as error:
        return json_answer(error.status(), code=error.code)
    except (web.HTTPNotFound, NothingServedError):
        return web.Response(text="404 page not found\n", status=404)
    except web.HTTPMethodNotAllowed:
        message = "the server does not allow this method on the requested resource"
        return json_answer(ApiError(405, "MethodNotAllowed", message).status(), code=405)
