"""The stand-in's process: every listener on one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
from pathlib import Path
from typing import Any

from aiohttp import web

from rehearsal import google, hub, metadata
from rehearsal.front import middlewares
from rehearsal.gke import Gke
from rehearsal.kube.clusters import KubernetesClusters
from rehearsal.process import ALREADY_SERVED, ServerLock, endpoints_file
from rehearsal.world import World

GOODBYE_SECONDS = 1.0
"""How long open requests, such as watches, may still go on when the stand-in stops."""


def serve(home: Path) -> int:
    """Be the stand-in of a folder until SIGTERM or SIGINT; return the exit code.

    Args:
        home: the folder `.rehearsal`.
    """
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = ServerLock(home)
    if not lock.take():
        return ALREADY_SERVED
    endpoints_file(home).unlink(missing_ok=True)
    asyncio.run(_serve(home))
    return 0


async def _serve(home: Path) -> None:
    world = World.open(home)
    kubernetes = KubernetesClusters(world)
    world.clusters = kubernetes
    gke = Gke(world, kubernetes)
    applications = _applications(world, gke, kubernetes)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(world.database.close)
        ports = {name: await _listen(world, stack, name, app) for name, app in applications.items()}
        world.addresses = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
        stack.push_async_callback(kubernetes.stop)
        await kubernetes.start()
        await gke.start()
        work = asyncio.create_task(gke.operations.run())
        stack.push_async_callback(_cancelled, work)
        _publish(world)
        stack.callback(endpoints_file(home).unlink, missing_ok=True)
        await _asked_to_stop(work)


def _applications(world: World, gke: Gke, kubernetes: KubernetesClusters) -> dict[str, web.Application]:
    """Build the APIs with a port of their own. Kubernetes' open theirs by themselves."""
    google_app = google.application(world, gke)
    hub_app, cdn_app = hub.applications(world)
    hub_app.middlewares.extend(middlewares(world, "hub"))
    cdn_app.middlewares.extend(middlewares(world, "cdn"))
    metadata_app = metadata.application(world, kubernetes)
    metadata_app.middlewares[:0] = middlewares(world, "metadata")
    return {"google": google_app, "hub": hub_app, "cdn": cdn_app, "metadata": metadata_app}


async def _listen(world: World, stack: contextlib.AsyncExitStack, name: str, app: web.Application) -> int:
    """Serve an application on loopback, on the port that it had before where that is free."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=GOODBYE_SECONDS)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    ports = world.database.collection("ports")
    for port in (ports.get(name, {"port": 0})["port"], 0):
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
        except OSError:
            if not port:
                raise
            continue
        break
    chosen: int = runner.addresses[0][1]
    ports[name] = {"port": chosen}
    return chosen


def _publish(world: World) -> None:
    """Write endpoints.json in one step: clients that find it find everything there."""
    endpoints: dict[str, Any] = {"pid": os.getpid(), **world.addresses}
    endpoints |= {"token_file": str(world.token_file), "ca_file": str(world.home / "ca.pem")}
    draft = world.home / "endpoints.json.new"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(endpoints, file, indent=1)
    draft.replace(endpoints_file(world.home))


async def _asked_to_stop(work: asyncio.Task[None]) -> None:
    """Wait for SIGTERM or SIGINT.

    Raises:
        Exception: what ended the background work, which never ends by itself.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    waiting = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait({waiting, work}, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
