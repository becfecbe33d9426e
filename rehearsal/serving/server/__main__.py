"""`python -m rehearsal.serving.server`: vLLM's server, as a program."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from rehearsal.serving import container, real, release
from rehearsal.serving.server import command_line
from rehearsal.serving.server.application import application
from rehearsal.serving.server.log import Log
from rehearsal.serving.server.model_folder import ModelError
from rehearsal.serving.server.reports import report_throughput
from rehearsal.serving.server.serving import Serving
from rehearsal.serving.server.startup import EngineStartError, Startup

BACKLOG = 2048
SHUTDOWN_SECONDS = 5.0


def main(arguments: Sequence[str]) -> int:
    """Serve until a signal; the exit code is vLLM's."""
    here = container.current()
    real.become("server", arguments, here)
    options = command_line.parse(arguments)
    container.raise_open_file_limit()
    log = Log(here.process_id)
    startup = Startup(options, here, release.played(), log)
    try:
        return asyncio.run(_run(startup))
    except ModelError as error:
        log.traceback(error, error.called)
    except EngineStartError as error:
        log.traceback(error, "RuntimeError")
    except OSError as error:
        log.traceback(error, "OSError")
    return 1


async def _run(startup: Startup) -> int:
    """Start, then stop at a signal or with the stand-in: whatever comes first, also in mid-start."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    ends: set[asyncio.Task[Any]] = {
        asyncio.create_task(stopped.wait()),
        asyncio.create_task(startup.container.outlive_nobody()),
    }
    starting = asyncio.create_task(startup.serving())
    await asyncio.wait({starting, *ends}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        return 128 + signal.SIGTERM
    await _serve(starting.result(), startup, ends)
    return 0


async def _serve(serving: Serving, startup: Startup, ends: set[asyncio.Task[Any]]) -> None:
    log, options = startup.log, startup.options
    work = [asyncio.create_task(engine.run()) for engine in serving.engines]
    if not options.disable_log_stats:
        work.append(asyncio.create_task(report_throughput(serving.engines, log)))
    keys = options.api_key or [key for key in [os.environ.get("VLLM_API_KEY")] if key]
    app = application(serving, log, keys, access_log=not options.disable_uvicorn_access_log)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    log.uvicorn(f"Started server process [{startup.container.process_id}]")
    log.uvicorn("Waiting for application startup.")
    address = startup.container.listen_address(options.host, options.port)
    await web.TCPSite(runner, *address, backlog=BACKLOG).start()
    log.uvicorn("Application startup complete.")
    await asyncio.wait({*ends, *work}, return_when=asyncio.FIRST_COMPLETED)
    log.say("launcher.py:110", "Shutting down FastAPI HTTP server.")
    log.uvicorn("Shutting down")
    for engine in serving.engines:
        engine.abort_all()
    await runner.cleanup()
    log.uvicorn("Waiting for application shutdown.")
    log.uvicorn("Application shutdown complete.")
    log.uvicorn(f"Finished server process [{startup.container.process_id}]")
    for task in work:
        if task.done():
            task.result()
        task.cancel()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
