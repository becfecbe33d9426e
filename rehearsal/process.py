"""The life of the stand-in's background process, seen from outside: up, down, status."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parent.parent
ALREADY_SERVED = 75
"""The exit code of a server that finds another one serving its folder (sysexits.h: EX_TEMPFAIL)."""
START_SECONDS = 30.0
STOP_SECONDS = 20.0
LOOK_SECONDS = 0.02
LOCK_SECONDS = 0.5
NO_CERTIFICATES = dict.fromkeys(("SSL_CERT_FILE", "SSL_CERT_DIR"), os.devnull)
"""OpenSSL's variables."""


class StartError(Exception):
    """The stand-in did not come up, or did not go down; the text is one line for people."""


class ServerLock:
    """The lock that the process of a folder holds as long as it lives, with its pid inside.

    Args:
        home: the folder `.rehearsal`.
    """

    def __init__(self, home: Path) -> None:
        self._path = home / "lock"
        self._file: IO[str] | None = None

    def take(self) -> bool:
        """Hold it from now on; False when another process does. Someone who only looks is waited for."""
        file = self._path.open("a+")
        deadline = time.monotonic() + LOCK_SECONDS
        while not _locked(file, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                file.close()
                return False
            time.sleep(LOOK_SECONDS)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file
        return True

    def holder(self) -> int | None:
        """Return the pid of the process that holds it, if one does."""
        if not self._path.exists():
            return None
        with self._path.open() as file:
            if _locked(file, fcntl.LOCK_SH):
                return None
            return int(file.read() or 0) or None


def _locked(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def endpoints_file(home: Path) -> Path:
    """Name the file that says where the stand-in answers."""
    return home / "endpoints.json"


def endpoints(home: Path) -> dict[str, Any] | None:
    """Return where the stand-in of a folder answers; None when it does not run, or not yet."""
    holder = ServerLock(home).holder()
    if holder is None:
        return None
    try:
        published: dict[str, Any] = json.loads(endpoints_file(home).read_text())
    except FileNotFoundError:
        return None
    return published if published["pid"] == holder else None


def up(home: Path) -> None:
    """Start the stand-in of a folder, unless it runs, and return when it answers.

    Args:
        home: the folder `.rehearsal`; it is made where it is missing.

    Raises:
        StartError: it ended at once, or did not answer in time.
    """
    if endpoints(home):
        return
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _turn(home):
        if endpoints(home):
            return
        child = _start(home)
        deadline = time.monotonic() + START_SECONDS
        while not endpoints(home):
            code = child.poll()
            if code == ALREADY_SERVED:
                child = _start(home)
            elif code is not None:
                raise StartError(f"the stand-in ended at once ({_last_words(home)}): see {home / 'log'}")
            if time.monotonic() > deadline:
                raise StartError(f"the stand-in did not answer in {START_SECONDS:.0f} s: see {home / 'log'}")
            time.sleep(LOOK_SECONDS)


@contextlib.contextmanager
def _turn(home: Path) -> Iterator[None]:
    """Let one `up` after the other have its turn."""
    with (home / "up.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _start(home: Path) -> subprocess.Popen[bytes]:
    """Start the process in a session of its own, so that it outlives the terminal.

    It trusts nobody but itself, and to read the machine's certificates is a tenth of its start.
    """
    with (home / "log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "rehearsal", "serve", "--home", str(home)],
            cwd=ROOT,
            env=os.environ | NO_CERTIFICATES,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _last_words(home: Path) -> str:
    lines = (home / "log").read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def down(home: Path) -> None:
    """Stop the stand-in of a folder, if it runs, and return when it is gone.

    Raises:
        StartError: it does not stop.
    """
    lock = ServerLock(home)
    holder = lock.holder()
    if holder is None:
        return
    os.kill(holder, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while lock.holder() == holder:
        if time.monotonic() > deadline:
            raise StartError(f"process {holder} does not stop: see {home / 'log'}")
        time.sleep(LOOK_SECONDS)
