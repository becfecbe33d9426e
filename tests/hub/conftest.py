from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from rehearsal.documents import Database
from rehearsal.hub import applications
from rehearsal.world import World


@pytest.fixture
def hub_url(tmp_path: Path) -> Iterator[str]:
    """A hub and its CDN, on two ports of loopback."""
    (tmp_path / "cloud").mkdir()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    runners, urls = asyncio.run_coroutine_threadsafe(_start(tmp_path / "cloud"), loop).result(10)
    (tmp_path / "cloud" / "endpoints.json").write_text(json.dumps({"hub": urls[0], "cdn": urls[1]}))
    yield urls[0]
    for runner in runners:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


async def _start(home: Path) -> tuple[list[web.AppRunner], list[str]]:
    database = Database(home / "documents.sqlite")
    apps = applications(World(home=home, token="t", database=database))
    database.close()
    runners = [web.AppRunner(app, shutdown_timeout=1) for app in apps]
    urls = []
    for runner in runners:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        urls.append(f"http://127.0.0.1:{runner.addresses[0][1]}")
    return runners, urls
