"""What a program learns of the container it runs in: ports, mounts, neighbours and how fast time passes."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

VARIABLE = "REHEARSAL_CONTAINER"
PACE_VARIABLES = ("REHEARSAL_STEP_MS", "REHEARSAL_PREFILL_TOKENS_PER_S")
"""The engine's pace where it runs outside of a container."""
LOOPBACK = "127.0.0.1"
PARENT_POLL_SECONDS = 1.0


@dataclass(frozen=True)
class Container:
    """A container of the rehearsal, or none: then every name stands for itself.

    Args:
        ports: declared container port -> port of the loopback where it really listens.
        hosts: "host:port" as a program in the cluster says it -> address on the loopback.
        mounts: mount path in the container -> local folder.
        time_scale: 1 = the real durations, 0 = at once.
        parent: process id of the stand-in; the program ends when it is gone.
        step_ms: time of the engine's decode step, in milliseconds; 0 = as fast as this machine goes.
        prefill_tokens_per_s: prompt tokens that the engine works off a second; 0 = at once.
        real: program -> interpreter that has the real one.
    """

    ports: dict[str, int] = field(default_factory=dict)
    hosts: dict[str, str] = field(default_factory=dict)
    mounts: dict[str, str] = field(default_factory=dict)
    time_scale: float = 0.0
    parent: int | None = None
    step_ms: float = 0.0
    prefill_tokens_per_s: float = 0.0
    real: dict[str, str] = field(default_factory=dict)
    inside: bool = False

    def local_path(self, path: str) -> Path:
        """Find the local file or folder behind a path as the container sees it; the longest mount wins."""
        for mount in sorted(self.mounts, key=len, reverse=True):
            prefix = mount.rstrip("/")
            if path == prefix or path.startswith(prefix + "/"):
                return Path(self.mounts[mount]) / path[len(prefix) :].lstrip("/")
        return Path(path)

    def listen_address(self, host: str | None, port: int) -> tuple[str, int]:
        """Tell where a server that asks for host:port really listens.

        An undeclared container port listens where nobody finds it (port 0), as nothing forwards to it.
        """
        if self.inside:
            return LOOPBACK, self.ports.get(str(port), 0)
        return host or "0.0.0.0", port  # noqa: S104 - vLLM's own default, outside of a container only

    @property
    def process_id(self) -> int:
        """The pid that the program would have: 1 in a container."""
        return 1 if self.inside else os.getpid()

    async def pass_time(self, seconds: float) -> None:
        """Wait as long as the real program would take, scaled.

        Args:
            seconds: the duration of the real program.
        """
        await asyncio.sleep(seconds * self.time_scale)

    async def outlive_nobody(self) -> None:
        """Return when the stand-in that started this container is gone."""
        while self.parent is None or _alive(self.parent):  # noqa: ASYNC110 - no event tells of another process
            await asyncio.sleep(PARENT_POLL_SECONDS)


def current() -> Container:
    """Read the container's description afresh: hosts may have changed since the last time."""
    described = os.environ.get(VARIABLE)
    if not described:
        step, prefill = (float(os.environ.get(name) or 0) for name in PACE_VARIABLES)
        return Container(step_ms=step, prefill_tokens_per_s=prefill)
    facts: dict[str, Any] = json.loads(Path(described).read_text())
    return Container(
        ports=facts.get("ports", {}),
        hosts=facts.get("hosts", {}),
        mounts=facts.get("mounts", {}),
        time_scale=float(facts.get("time_scale", 0.0)),
        parent=facts.get("parent"),
        step_ms=float(facts.get("step_ms", 0.0)),
        prefill_tokens_per_s=float(facts.get("prefill_tokens_per_s", 0.0)),
        real=facts.get("real", {}),
        inside=True,
    )


def raise_open_file_limit() -> None:
    """Allow as many sockets as the system lets us: a benchmark opens one for each prompt."""
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 10240 if hard == resource.RLIM_INFINITY else min(hard, 65536)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
