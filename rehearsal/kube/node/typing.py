"""A command that gets its standard input while it runs."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import Process
from contextlib import suppress

from rehearsal.kube.api.runtime import Typed


async def type_into(stdin: asyncio.StreamWriter | None, typed: Typed | None) -> None:
    """Write to a command what comes, then end its input; a command that has ended reads no more.

    Args:
        stdin: the command's; None: it has none.
    """
    if stdin is None or typed is None:
        return
    with suppress(ConnectionError):
        async for data in typed:
            stdin.write(data)
            await stdin.drain()
    stdin.close()


async def outcome_of(process: Process) -> tuple[bytes, bytes]:
    """Wait until a command ends; give its stdout and stderr."""
    if process.stdout is None or process.stderr is None:
        raise ValueError("both of its outputs must be pipes")
    output, errors, _ = await asyncio.gather(process.stdout.read(), process.stderr.read(), process.wait())
    return output, errors
