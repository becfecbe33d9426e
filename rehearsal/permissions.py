"""Refusals that come before an API looks at a request: the API is off, or the login lacks a permission."""

from __future__ import annotations

import re
from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from rehearsal.front.errors import GoogleError, error_response
from rehearsal.front.middlewares import CONTROL_PREFIX
from rehearsal.principals import PRINCIPAL
from rehearsal.world import World

CLUSTERS = r"/v1/(?P<resource>projects/[^/]+/locations/[^/]+)/clusters"
CLUSTER = r"/v1/(?P<resource>projects/[^/]+/locations/[^/]+/clusters/[^/:]+)"
BUCKET = r"/storage/v1/b/(?P<resource>[^/]+)"

PERMISSIONS = tuple(
    (method, re.compile(path), permission)
    for method, path, permission in (
        ("GET", CLUSTERS, "container.clusters.list"),
        ("POST", CLUSTERS, "container.clusters.create"),
        ("GET", CLUSTER + "(/nodePools.*)?", "container.clusters.get"),
        ("PUT", CLUSTER, "container.clusters.update"),
        ("DELETE", CLUSTER, "container.clusters.delete"),
        ("POST", CLUSTER + "/nodePools.*", "container.clusters.update"),
        ("PUT", CLUSTER + "/nodePools.*", "container.clusters.update"),
        ("DELETE", CLUSTER + "/nodePools.*", "container.clusters.update"),
        ("GET", r"/v1/(?P<resource>projects/[^/]+/locations/[^/]+)/operations", "container.operations.list"),
        (
            "GET",
            r"/v1/(?P<resource>projects/[^/]+/locations/[^/]+/operations/.+)",
            "container.operations.get",
        ),
        ("GET", BUCKET, "storage.buckets.get"),
        ("GET", BUCKET + "/iam", "storage.buckets.getIamPolicy"),
        ("PUT", BUCKET + "/iam", "storage.buckets.setIamPolicy"),
        ("GET", BUCKET + "/o", "storage.objects.list"),
    )
)
"""Which permission a request needs: method, path, permission."""


def refusals(world: World, api_of: Callable[[web.Request], str]) -> Middleware:
    """Build the middleware that refuses what the operator told to be off, or forbidden.

    Args:
        world: the stand-in.
        api_of: tells the API's name in the request log.
    """

    @web.middleware
    async def refuse(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(CONTROL_PREFIX):
            return await handler(request)
        api, facts = api_of(request), world.project.now
        if f"{api}.googleapis.com" in facts.disabled_services:
            return _disabled(api, request.path)
        permission, resource = _needed(request.method, request.path)
        if permission in facts.denied_permissions and PRINCIPAL not in request:
            return _denied(api, permission, resource)
        return await handler(request)

    return refuse


def _needed(method: str, path: str) -> tuple[str, str]:
    for wanted_method, pattern, permission in PERMISSIONS:
        found = pattern.fullmatch(path)
        if found and wanted_method == method:
            return permission, found["resource"]
    return "", ""


def _disabled(api: str, path: str) -> web.Response:
    project = re.search(r"/projects/([^/:]+)", path)
    name = project[1] if project else "rehearsal-project"
    site = f"https://console.developers.google.com/apis/api/{api}.googleapis.com/overview?project={name}"
    message = (
        f"{api}.googleapis.com API has not been used in project {name} before or it is disabled. Enable it by"
        f" visiting {site} then retry. If you enabled this API recently, wait a few minutes for the action to"
        " propagate to our systems and retry."
    )
    return error_response(api, 403, message, reason="SERVICE_DISABLED")


def _denied(api: str, permission: str, resource: str) -> web.Response:
    if api == "storage":
        message = (
            f"rehearsal@example.com does not have {permission} access to the Google Cloud Storage bucket."
            f" Permission '{permission}' denied on resource (or it may not exist)."
        )
        return error_response(api, 403, message)
    refusal = GoogleError(403, f'Required "{permission}" permission(s) for "{resource}".')
    return web.json_response(refusal.body(), status=refusal.status)
