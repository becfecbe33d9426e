"""The google port: all of Google's APIs, and the control API."""

from __future__ import annotations

import re

from aiohttp import web

from rehearsal import compute, control, gke, permissions, projects, storage
from rehearsal.front import middlewares
from rehearsal.front.errors import error_response, google_errors
from rehearsal.world import World

APIS = (
    (re.compile(r"/v1/projects/[^/]+/locations/global/services/"), "cloudquotas"),
    (re.compile(r"/v1/projects/[^/]+/locations/"), "container"),
    (re.compile(r"/v1/projects/[^/]+/services([:/]|$)"), "serviceusage"),
    (re.compile(r"/v1/projects/"), "cloudresourcemanager"),
    (re.compile(r"/compute/"), "compute"),
)


def api_of(request: web.Request) -> str:
    """Tell from its path for which API a request is; what no other API claims is Cloud Storage's."""
    return next((name for pattern, name in APIS if pattern.match(request.path)), "storage")


def application(world: World, service: gke.Gke) -> web.Application:
    """Build the application of the google port; `world.storage` is set by that.

    Args:
        world: the stand-in.
        service: its GKE.
    """
    before = [*middlewares(world, api_of), permissions.refusals(world, api_of), google_errors]
    app = web.Application(middlewares=before, client_max_size=0)
    control.add_routes(app, world, service)
    gke.add_routes(app, world, service)
    compute.add_routes(app, world, service)
    projects.add_routes(app, world)
    for prefix in ("/v1/", "/compute/"):
        app.router.add_route("*", prefix + "{path:.*}", not_emulated)
    storage.add_routes(app, world)
    app.router.add_route("*", "/{path:.*}", not_emulated)
    return app


async def not_emulated(request: web.Request) -> web.Response:
    """Answer 400, which clients do not try again."""
    message = f"The rehearsal does not emulate {request.method} {request.path}."
    return error_response(api_of(request), 400, message)
