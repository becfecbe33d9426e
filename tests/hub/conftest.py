from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
from aiohttp import web

from rehearsal.documents import Database
from rehearsal.hub import applications
from rehearsal.world import World

Started = Future[tuple[list[str], Callable[[], object]]]


@pytest.fixture
def hub_url(tmp_path: Path) -> Iterator[str]:
    """A hub and its CDN, on two ports of loopback."""
    home = tmp_path / "cloud"
    home.mkdir()
    started: Started = Future()
    thread = threading.Thread(target=lambda: asyncio.run(_run(home, started)))
    thread.start()
    urls, stop = started.result(10)
    (home / "endpoints.json").write_text(json.dumps({"hub": urls[0], "cdn": urls[1]}))
    yield urls[0]
    stop()
    thread.join()


async def _run(home: Path, started: Started) -> None:
    database = Database(home / "documents.sqlite")
    apps = applications(World(home=home, token="t", database=database))
    runners = [web.AppRunner(app, shutdown_timeout=1) for app in apps]
    for runner in runners:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    urls = [f"http://127.0.0.1:{runner.addresses[0][1]}" for runner in runners]
    started.set_result((urls, lambda: loop.call_soon_threadsafe(stopped.set)))
    await stopped.wait()
    for runner in runners:
        await runner.cleanup()
    database.close()
