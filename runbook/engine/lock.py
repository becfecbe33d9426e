"""One writer per environment at a time.

The lock is an advisory lock (flock) on a file, which the kernel lets go of when its owner dies; the file says
who holds it, for the people who wait.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO

from runbook.engine.errors import ConflictError, Place
from runbook.engine.person import login_name

POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Owner:
    """Who holds the lock.

    Args:
        user: the login name.
        host: the machine.
        pid: the process.
        since: local time, ISO 8601.
    """

    user: str
    host: str
    pid: int
    since: str

    def __str__(self) -> str:
        return f"{self.user}@{self.host}, pid {self.pid}, since {self.since}"


class EnvironmentLock:
    """The writer's lock of one environment; a context manager.

    Args:
        path: the lock's file; its folder is made.
        wait_seconds: how long to wait for a holder before giving up.
        tell: says what the operator should know: who is waited for, or whose lock was taken over.
        pause: waits for some seconds, or ends by the operator's interruption.
    """

    def __init__(
        self, path: Path, wait_seconds: float, tell: Callable[[str], None], pause: Callable[[float], None]
    ) -> None:
        self._path = path
        self._wait_seconds = wait_seconds
        self._tell = tell
        self._pause = pause
        self._file: IO[str] | None = None

    def __enter__(self) -> EnvironmentLock:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        self._file = os.fdopen(descriptor, "r+")
        try:
            self._acquire(self._file)
        except BaseException:
            self._file.close()
            raise
        self._take_over(self._file)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file:
            self._file.seek(0)
            self._file.truncate()
            self._file.close()

    def _acquire(self, file: IO[str]) -> None:
        deadline = time.monotonic() + self._wait_seconds
        told = False
        while not _try_lock(file):
            holder = _read_owner(file)
            if time.monotonic() >= deadline:
                raise ConflictError(
                    f"another run holds this environment's lock: {holder or 'unknown owner'}",
                    place=Place.in_file(self._path),
                    remedy="wait for it to end, or let this line wait: --set run.lock_timeout_s=600",
                )
            if not told:
                self._tell(f"waiting for the lock of {holder or 'another run'}")
                told = True
            self._pause(POLL_SECONDS)

    def _take_over(self, file: IO[str]) -> None:
        dead = _read_owner(file)
        if dead:
            self._tell(f"took over the lock of a run that is gone: {dead}")
        owner = Owner(
            login_name(), socket.gethostname(), os.getpid(), datetime.now().isoformat(timespec="seconds")
        )
        file.seek(0)
        file.truncate()
        json.dump(asdict(owner), file)
        file.flush()


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read_owner(file: IO[str]) -> Owner | None:
    file.seek(0)
    text = file.read()
    try:
        return Owner(**json.loads(text)) if text else None
    except (ValueError, TypeError):
        return None
