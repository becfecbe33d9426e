"""The paths of the control API."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import Any

from aiohttp import web

from rehearsal.control.memory import resident_bytes
from rehearsal.control.reset import reset
from rehearsal.control.scenarios import Scenarios
from rehearsal.front.errors import GoogleError
from rehearsal.front.faults import Fault
from rehearsal.gke import Gke
from rehearsal.kube.told import Told
from rehearsal.world import Settings, World

PREFIX = "/_rehearsal"


def add_routes(app: web.Application, world: World, gke: Gke) -> None:
    """Let an application answer the control API.

    Args:
        app: the application of the google port.
        world: the stand-in.
        gke: its GKE.
    """
    control = Control(world, gke)
    app.router.add_get(PREFIX + "/settings", control.get_settings)
    app.router.add_put(PREFIX + "/settings", control.put_settings)
    app.router.add_get(PREFIX + "/project", control.get_project)
    app.router.add_put(PREFIX + "/project", control.put_project)
    app.router.add_get(PREFIX + "/requests", control.list_requests)
    app.router.add_delete(PREFIX + "/requests", control.clear_requests)
    app.router.add_get(PREFIX + "/faults", control.list_faults)
    app.router.add_post(PREFIX + "/faults", control.add_fault)
    app.router.add_delete(PREFIX + "/faults", control.clear_faults)
    app.router.add_get(PREFIX + "/status", control.get_status)
    app.router.add_post(PREFIX + "/reset", control.reset)
    app.router.add_get(PREFIX + "/scenarios", control.list_scenarios)
    app.router.add_post(PREFIX + "/scenarios/{scenario}", control.play_scenario)


class Control:
    """The handlers of the control API."""

    def __init__(self, world: World, gke: Gke) -> None:
        self._world = world
        self._gke = gke
        self._scenarios = Scenarios(world, gke)
        self._started = time.monotonic()

    async def get_settings(self, _: web.Request) -> web.Response:
        """Tell every setting."""
        return web.json_response(asdict(self._world.settings))

    async def put_settings(self, request: web.Request) -> web.Response:
        """Change some settings, or all."""
        given = await _object(request)
        try:
            settings = Settings(**(asdict(self._world.settings) | given))
            settings.require_programs()
        except (TypeError, ValueError) as error:
            raise GoogleError(400, f"settings: {error}") from error
        self._world.change_settings(settings)
        if self._world.clusters is not None:
            self._world.clusters.describe()
        return web.json_response(asdict(settings))

    async def get_project(self, _: web.Request) -> web.Response:
        """Tell what is off, forbidden, reserved and granted in the projects."""
        return web.json_response(self._world.project.document())

    async def put_project(self, request: web.Request) -> web.Response:
        """Change some of that, or all."""
        given = await _object(request)
        try:
            self._world.project.change(given)
        except (TypeError, ValueError) as error:
            raise GoogleError(400, f"project: {error}") from error
        return web.json_response(self._world.project.document())

    async def list_requests(self, _: web.Request) -> web.Response:
        """List every request, oldest first."""
        return web.json_response(list(self._world.requests.entries()))

    async def clear_requests(self, _: web.Request) -> web.Response:
        """Forget every request."""
        self._world.requests.clear()
        return web.json_response({})

    async def list_faults(self, _: web.Request) -> web.Response:
        """List every fault, the spent ones too."""
        return web.json_response(self._world.faults.list())

    async def add_fault(self, request: web.Request) -> web.Response:
        """Let something go wrong."""
        try:
            fault = Fault.from_document(await _object(request))
        except ValueError as error:
            raise GoogleError(400, f"fault: {error}") from error
        return web.json_response({"id": self._world.faults.add(fault)})

    async def clear_faults(self, _: web.Request) -> web.Response:
        """Let nothing go wrong any more: neither requests nor what a scenario told containers and mounts."""
        self._world.faults.clear()
        Told(self._world.database).forget()
        return web.json_response({})

    async def get_status(self, _: web.Request) -> web.Response:
        """Tell how the stand-in is, and what it holds."""
        endpoints = json.loads((self._world.home / "endpoints.json").read_text())
        return web.json_response(
            endpoints
            | {
                "uptime_s": round(time.monotonic() - self._started, 1),
                "rss_mb": round(resident_bytes() / 1_000_000, 1),
                "clusters": [str(record.name) for record in self._gke.records],
                "buckets": list(self._world.database.collection("storage.buckets")),
            }
        )

    async def reset(self, _: web.Request) -> web.Response:
        """Forget everything but the settings."""
        await reset(self._world, self._gke)
        return web.json_response({})

    async def list_scenarios(self, _: web.Request) -> web.Response:
        """List the scenarios with their descriptions."""
        return web.json_response(self._scenarios.list())

    async def play_scenario(self, request: web.Request) -> web.Response:
        """Put the stand-in into a named state."""
        await self._scenarios.play(request.match_info["scenario"], await _object(request))
        return web.json_response({})


async def _object(request: web.Request) -> dict[str, Any]:
    """Read a body that must be a JSON object; none at all is an empty one.

    Raises:
        GoogleError: 400.
    """
    try:
        body = json.loads(await request.text() or "{}")
    except json.JSONDecodeError as error:
        raise GoogleError(400, f"The body is no JSON: {error}") from error
    if not isinstance(body, dict):
        raise GoogleError(400, "The body must be a JSON object.")
    return body
