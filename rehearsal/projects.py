"""What clients ask about a project: its number, its APIs, and what they may do in it."""

from __future__ import annotations

import re
from typing import Any
from zlib import crc32

from aiohttp import web

from rehearsal.front.errors import GoogleError
from rehearsal.world import World

SERVICES = (
    "artifactregistry.googleapis.com",
    "cloudquotas.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "compute.googleapis.com",
    "container.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "secretmanager.googleapis.com",
    "serviceusage.googleapis.com",
    "storage.googleapis.com",
)
PROJECT = "/v1/projects/{project:[^:/]+}"
PERMISSION = re.compile(r"[a-z]+(\.[A-Za-z]+)+")
MOST_PERMISSIONS = 100
"""How many one testIamPermissions may ask about."""


def project_number(project: str) -> str:
    """Return the number of a project: always the same for the same id; a number stays itself."""
    return project if project.isdigit() else str(100_000_000_000 + crc32(project.encode()))


def add_routes(app: web.Application, world: World) -> None:
    """Let an application answer Service Usage v1 and Resource Manager v1.

    Args:
        app: the application of the google port.
        world: the stand-in.
    """
    api = Projects(world)
    app.router.add_get(PROJECT + "/services", api.list_services)
    app.router.add_get(PROJECT + "/services:batchGet", api.batch_get_services)
    app.router.add_get(PROJECT + "/services/{service}", api.get_service)
    app.router.add_get(PROJECT, get_project)
    app.router.add_post(PROJECT + ":testIamPermissions", api.test_iam_permissions)


class Projects:
    """The handlers that depend on what the operator told of the projects."""

    def __init__(self, world: World) -> None:
        self._told = world.project

    async def list_services(self, request: web.Request) -> web.Response:
        """services.list: the APIs that this stand-in knows; `filter` may choose by state."""
        project = request.match_info["project"]
        services = [self._service(project, name) for name in SERVICES]
        state = request.query.get("filter", "").removeprefix("state:")
        chosen = [service for service in services if state in ("", service["state"])]
        return web.json_response({"services": chosen})

    async def batch_get_services(self, request: web.Request) -> web.Response:
        """services.batchGet."""
        project = request.match_info["project"]
        names = [name.rpartition("/")[2] for name in request.query.getall("names", [])]
        return web.json_response({"services": [self._service(project, name) for name in names]})

    async def get_service(self, request: web.Request) -> web.Response:
        """services.get."""
        return web.json_response(self._service(request.match_info["project"], request.match_info["service"]))

    async def test_iam_permissions(self, request: web.Request) -> web.Response:
        """projects.testIamPermissions: the login may do everything but what the operator denied it."""
        asked: list[str] = (await request.json()).get("permissions", [])
        if len(asked) > MOST_PERMISSIONS:
            raise GoogleError(400, f"At most {MOST_PERMISSIONS} permissions can be tested at once.")
        for permission in asked:
            if not PERMISSION.fullmatch(permission):
                raise GoogleError(400, f"Permission {permission} is not valid for this resource.")
        denied = self._told.now.denied_permissions
        granted = [permission for permission in asked if permission not in denied]
        # proto3's JSON leaves an empty list out
        return web.json_response({"permissions": granted} if granted else {})

    def _service(self, project: str, name: str) -> dict[str, Any]:
        if not name.endswith(".googleapis.com"):
            raise GoogleError(403, f"Not found or permission denied for service(s): {name}.")
        parent = f"projects/{project_number(project)}"
        return {
            "name": f"{parent}/services/{name}",
            "parent": parent,
            "config": {"name": name},
            "state": "DISABLED" if name in self._told.now.disabled_services else "ENABLED",
        }


async def get_project(request: web.Request) -> web.Response:
    """projects.get (v1)."""
    project = request.match_info["project"]
    return web.json_response(
        {
            "projectNumber": project_number(project),
            "projectId": project,
            "lifecycleState": "ACTIVE",
            "name": project,
            "createTime": "2026-01-01T00:00:00.000Z",
        }
    )
