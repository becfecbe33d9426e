"""Refusals of the hub: clients go by the X-Error-Code header."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class HubError(Exception):
    """A refusal.

    Args:
        status: the HTTP status.
        code: what X-Error-Code says: RepoNotFound, RevisionNotFound, EntryNotFound, GatedRepo; may be empty.
        message: the sentence.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def answering(handler: Handler) -> Handler:
    """Turn a handler's HubErrors into answers."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except HubError as error:
            headers = {"X-Error-Message": error.message}
            if error.code:
                headers["X-Error-Code"] = error.code
            return web.json_response({"error": error.message}, status=error.status, headers=headers)

    return answer
