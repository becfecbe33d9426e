from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from aiohttp import web

from rehearsal.documents import Database
from rehearsal.storage import add_routes
from rehearsal.world import World

Started = Future[tuple[str, Callable[[], object]]]


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
    started: Started = Future()
    thread = threading.Thread(target=lambda: asyncio.run(_run(home, started)))
    thread.start()
    url, stop = started.result(10)
    try:
        yield url
    finally:
        stop()
        thread.join()


async def _run(home: Path, started: Started) -> None:
    database = Database(home / "documents.sqlite")
    app = web.Application()
    add_routes(app, World(home=home, token="t", database=database))
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    started.set_result((url, lambda: loop.call_soon_threadsafe(stopped.set)))
    await stopped.wait()
    await runner.cleanup()
    database.close()
