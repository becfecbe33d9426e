from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from aiohttp import web

from rehearsal.documents import Database
from rehearsal.storage import add_routes
from rehearsal.world import World


@pytest.fixture
def serve_storage() -> Callable[[Path], AbstractContextManager[str]]:
    """Serve a Cloud Storage whose state is in a folder; leaving the context stops it, the folder remains."""
    return _serve


@pytest.fixture
def storage_url(tmp_path: Path) -> Iterator[str]:
    with _serve(tmp_path / "cloud") as url:
        yield url


@contextmanager
def _serve(home: Path) -> Iterator[str]:
    home.mkdir(exist_ok=True)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    runner, url = asyncio.run_coroutine_threadsafe(_start(home), loop).result(10)
    try:
        yield url
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _start(home: Path) -> tuple[web.AppRunner, str]:
    world = World(home=home, token="t", database=Database(home / "documents.sqlite"))
    app = web.Application()
    app.on_cleanup.append(lambda _: _close(world))
    add_routes(app, world)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


async def _close(world: World) -> None:
    world.database.close()
