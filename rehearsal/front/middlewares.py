"""The middlewares, in the order in which a request meets them."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from rehearsal.front import connection
from rehearsal.front.errors import error_response
from rehearsal.front.faults import Fault
from rehearsal.principals import PRINCIPAL

if TYPE_CHECKING:
    from rehearsal.world import World

CONTROL_PREFIX = "/_rehearsal/"
PUBLIC_APIS = ("hub", "cdn", "metadata")
PUBLIC_KUBERNETES_PATHS = ("/healthz", "/livez", "/readyz", "/version")
"""What the ClusterRole system:public-info-viewer gives to everyone."""

ApiName = str | Callable[[web.Request], str]

UNAUTHENTICATED = {
    "kubernetes": "Unauthorized",
    "storage": "Invalid Credentials",
    "compute": "Invalid Credentials",
}
NO_CREDENTIALS = (
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other"
    " valid authentication credential."
    " See https://developers.google.com/identity/sign-in/web/devconsole-project."
)


def middlewares(world: World, api: ApiName) -> list[Middleware]:
    """Build what stands before an API: log, token, latency, faults.

    Args:
        world: the stand-in.
        api: the API's name in the request log, or a function that tells it from the request.
    """

    def name_of(request: web.Request) -> str:
        if request.path.startswith(CONTROL_PREFIX):
            return "rehearsal"
        return api if isinstance(api, str) else api(request)

    return [
        _log(world, name_of),
        _bearer_token(world, name_of),
        _trouble(world, name_of),
    ]


def _log(world: World, name_of: Callable[[web.Request], str]) -> Middleware:
    """Keep every request but those of the control API."""

    @web.middleware
    async def log(request: web.Request, handler: Handler) -> web.StreamResponse:
        name = name_of(request)
        if name == "rehearsal":
            return await handler(request)
        started = time.perf_counter()
        status = 0
        try:
            response = await handler(request)
            status = 0 if _dropped(request) and not response.prepared else response.status
            return response
        except web.HTTPException as error:
            status = error.status
            raise
        finally:
            elapsed = (time.perf_counter() - started) * 1000
            world.requests.add(name, request.method, request.path_qs, status, elapsed)

    return log


def _dropped(request: web.Request) -> bool:
    """Tell whether the connection was closed before an answer could be sent."""
    return request.transport is None or request.transport.is_closing()


def _bearer_token(world: World, name_of: Callable[[web.Request], str]) -> Middleware:
    """Refuse whoever does not bring the operator's token, in the API's own words.

    A Pod's token is good for Cloud Storage alone, which judges what it may do.
    """

    @web.middleware
    async def bearer_token(request: web.Request, handler: Handler) -> web.StreamResponse:
        name = name_of(request)
        token = _token(request)
        if _public(name, request) or hmac.compare_digest(token.encode(), world.token.encode()):
            return await handler(request)
        if principal := world.principals.holder(token):
            if name != "storage":
                return error_response(name, 403, f"{principal.name} may not use this API of the rehearsal.")
            request[PRINCIPAL] = principal
            return await handler(request)
        message = UNAUTHENTICATED.get(name, NO_CREDENTIALS)
        challenge = {"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"'}
        return error_response(name, 401, message, challenge)

    return bearer_token


def _public(name: str, request: web.Request) -> bool:
    """Tell whether anyone may ask this.

    Google's storage clients bring no token where STORAGE_EMULATOR_HOST is set, so an emulator asks for none;
    a wrong one is refused all the same. The address of a resumable upload is a credential by itself.
    """
    if name == "kubernetes":
        return request.path.startswith(PUBLIC_KUBERNETES_PATHS)
    if name == "storage":
        return "Authorization" not in request.headers or "upload_id" in request.query
    return name in PUBLIC_APIS


def _token(request: web.Request) -> str:
    """Give the bearer token that the request brings; empty where it brings none."""
    scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
    return credential.strip() if scheme.lower() == "bearer" else ""


def _trouble(world: World, name_of: Callable[[web.Request], str]) -> Middleware:
    """Be as slow, and fail as often, as the operator asked."""

    @web.middleware
    async def trouble(request: web.Request, handler: Handler) -> web.StreamResponse:
        name = name_of(request)
        if name == "rehearsal":
            return await handler(request)
        if world.settings.latency_ms:
            await asyncio.sleep(world.settings.latency_ms / 1000)
        fault = world.faults.take(name, request.method, request.path_qs)
        if fault is None:
            return await handler(request)
        return await _strike(fault, name, request, handler)

    return trouble


async def _strike(fault: Fault, name: str, request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let one request meet its fault."""
    if fault.kind == "status":
        headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after else None
        return error_response(name, fault.status, fault.message, headers, fault.reason)
    if fault.kind == "reset":
        connection.reset(request)
        return web.Response()
    if fault.kind == "stall":
        await asyncio.sleep(fault.seconds)
    elif fault.kind == "flip":
        connection.flip(request, fault.bytes)
    else:
        connection.truncate(request, fault.bytes)
    return await handler(request)
