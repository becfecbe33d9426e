"""One container's processes: a process group of its own, with its output in a log file."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from rehearsal.kube.node.reaper import Reaper


class Process:
    """A running process group; its leader is the container's main process."""

    def __init__(self, leader: asyncio.subprocess.Process, reaper: Reaper) -> None:
        self._leader = leader
        self._reaper = reaper

    @classmethod
    async def start(
        cls, argv: Sequence[str], *, folder: Path, environment: Mapping[str, str], log: Path, reaper: Reaper
    ) -> Process:
        """Start a program.

        Args:
            argv: the program's file and its arguments.
            folder: its working folder; it is there.
            log: the file to which its output is appended.

        Raises:
            OSError: the file cannot be executed.
        """
        with log.open("ab") as output:
            leader = await asyncio.create_subprocess_exec(
                *argv,
                cwd=folder,
                env=dict(environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        reaper.watch(leader.pid)
        return cls(leader, reaper)

    async def wait(self) -> int:
        """Wait until the main process ends; the rest of its group then ends with it.

        Returns:
            its exit code; 128 + n when signal n ended it.
        """
        code = await self._leader.wait()
        self.kill()
        self._reaper.forget(self._leader.pid)
        return 128 - code if code < 0 else code

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole group; nothing happens when none of it is left."""
        try:
            os.killpg(self._leader.pid, number)
        except (ProcessLookupError, PermissionError):  # macOS: EPERM when only zombies are left of the group
            return

    def kill(self) -> None:
        """Kill the whole group at once."""
        self.signal(signal.SIGKILL)

    async def stop(self, grace_seconds: float) -> int:
        """End the group: SIGTERM, and SIGKILL for what is left after the grace period.

        Returns:
            the exit code, as `wait` gives it.
        """
        if self._leader.returncode is None:
            self.signal(signal.SIGTERM)
        try:
            return await asyncio.wait_for(self.wait(), grace_seconds)
        except TimeoutError:
            self.kill()
            return await self.wait()
