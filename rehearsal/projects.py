"""What clients ask about a project: its number, APIs, permissions, machines, reservations."""

from __future__ import annotations

from typing import Any
from zlib import crc32

from aiohttp import web

from rehearsal.front.errors import GoogleError, error_response

SERVICES = (
    "artifactregistry.googleapis.com",
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
COMPUTE = "/compute/v1/projects/{project}"
RESERVED_MACHINES = "16"


def project_number(project: str) -> str:
    """Return the number of a project: always the same for the same id; a number stays itself."""
    return project if project.isdigit() else str(100_000_000_000 + crc32(project.encode()))


def add_routes(app: web.Application) -> None:
    """Let an application answer Service Usage v1, Resource Manager v1 and a little of Compute Engine v1.

    Args:
        app: the application of the google port.
    """
    app.router.add_get(PROJECT + "/services", list_services)
    app.router.add_get(PROJECT + "/services:batchGet", batch_get_services)
    app.router.add_get(PROJECT + "/services/{service}", get_service)
    app.router.add_get(PROJECT, get_project)
    app.router.add_post(PROJECT + ":testIamPermissions", test_iam_permissions)
    app.router.add_get(COMPUTE + "/zones/{zone}/reservations/{reservation}", get_reservation)
    app.router.add_get(COMPUTE + "/zones/{zone}/machineTypes/{machine_type}", get_machine_type)
    app.router.add_get(COMPUTE + "/regions/{region}/forwardingRules", list_forwarding_rules)


async def list_services(request: web.Request) -> web.Response:
    """services.list: every API that this stand-in knows is enabled."""
    project = request.match_info["project"]
    return web.json_response({"services": [_service(project, name) for name in SERVICES]})


async def batch_get_services(request: web.Request) -> web.Response:
    """services.batchGet."""
    project = request.match_info["project"]
    names = [name.rpartition("/")[2] for name in request.query.getall("names", [])]
    return web.json_response({"services": [_service(project, name) for name in names]})


async def get_service(request: web.Request) -> web.Response:
    """services.get."""
    return web.json_response(_service(request.match_info["project"], request.match_info["service"]))


def _service(project: str, name: str) -> dict[str, Any]:
    if not name.endswith(".googleapis.com"):
        raise GoogleError(403, f"Not found or permission denied for service(s): {name}.")
    parent = f"projects/{project_number(project)}"
    return {
        "name": f"{parent}/services/{name}",
        "parent": parent,
        "config": {"name": name},
        "state": "ENABLED",
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


async def test_iam_permissions(request: web.Request) -> web.Response:
    """projects.testIamPermissions: the operator of a stand-in may do everything."""
    body = await request.json()
    return web.json_response({"permissions": body.get("permissions", [])})


async def get_reservation(request: web.Request) -> web.Response:
    """reservations.get: whatever the name, machines of TPU7x wait there unused."""
    project, zone, name = (request.match_info[key] for key in ("project", "zone", "reservation"))
    base = f"https://www.googleapis.com/compute/v1/projects/{project}/zones/{zone}"
    machines = {
        "count": RESERVED_MACHINES,
        "inUseCount": "0",
        "assuredCount": RESERVED_MACHINES,
        "instanceProperties": {"machineType": "tpu7x-standard-4t"},
    }
    return web.json_response(
        {
            "kind": "compute#reservation",
            "name": name,
            "selfLink": f"{base}/reservations/{name}",
            "zone": base,
            "status": "READY",
            "specificReservation": machines,
            "specificReservationRequired": True,
        }
    )


async def get_machine_type(request: web.Request) -> web.Response:
    """machineTypes.get."""
    from rehearsal.gke.machines import machine_type

    project, zone, name = (request.match_info[key] for key in ("project", "zone", "machine_type"))
    path = f"projects/{project}/zones/{zone}/machineTypes/{name}"
    try:
        machine = machine_type(name, zone)
    except GoogleError:
        return error_response("compute", 404, f"The resource '{path}' was not found")
    link = f"https://www.googleapis.com/compute/v1/{path}"
    size = {"guestCpus": machine.cpus, "memoryMb": machine.memory_gib * 1024}
    return web.json_response(
        {"kind": "compute#machineType", "name": name, "selfLink": link, "zone": zone} | size
    )


async def list_forwarding_rules(request: web.Request) -> web.Response:
    """forwardingRules.list: a stand-in has no load balancer's address."""
    project, region = request.match_info["project"], request.match_info["region"]
    name = f"projects/{project}/regions/{region}/forwardingRules"
    return web.json_response({"kind": "compute#forwardingRuleList", "id": name, "items": []})
