"""A transfer that outlives the login that started it: one for each folder, found again by who comes back.

`start FOLDER ORDERS`, `look FOLDER` and `stop FOLDER` are its command lines; each prints a `State`.
The transfer holds a lock (flock) on a file of the folder, which the kernel lets go of however it ends.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from runbook.transfer.orders import Orders

STOP_SECONDS = 10.0
LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class State:
    """The transfer of a folder.

    Args:
        running: whether it runs.
        pid: its process; 0 where none was ever started, or it is just starting.
        log: name of the file in the folder that it tells its events to (`runbook.transfer.telling`).
        orders: what it moves, without secrets.
    """

    running: bool
    pid: int = 0
    log: str = ""
    orders: str = ""

    def text(self) -> str:
        """Write it."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> State:
        """Read what `text` wrote."""
        return cls(**json.loads(text))


def start(folder: Path, orders_path: Path) -> State:
    """Start a transfer, unless one runs here; its orders are removed either way."""
    lock = _lock(folder, fcntl.LOCK_EX)
    if lock is None:
        orders_path.unlink()
        return look(folder)
    for old in (*folder.glob("log-*"), *folder.glob("orders-*")):
        if old != orders_path:
            old.unlink()
    log = f"log-{secrets.token_hex(4)}"
    orders = Orders.read(orders_path.read_text(encoding="utf-8"))
    shown = Orders(replace(orders.consignment, token=None), {}, orders.storage).text()
    state = State(True, _worker(folder, orders_path, folder / log, lock), log, shown)
    _keep(folder, state)
    os.close(lock)
    return state


def look(folder: Path) -> State:
    """See whether a transfer runs here, and what it moves."""
    lock = _lock(folder, fcntl.LOCK_SH)
    if lock is not None:
        os.close(lock)
    try:
        kept = State.read((folder / "state.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        kept = State(False)
    return replace(kept, running=lock is None)


def stop(folder: Path) -> State:
    """Ask the transfer to end, and wait for it; it keeps how far each file is."""
    found = look(folder)
    if found.running and found.pid:
        os.kill(found.pid, signal.SIGTERM)
    until = time.monotonic() + STOP_SECONDS
    while found.running and time.monotonic() < until:
        time.sleep(LOOK_SECONDS)
        found = look(folder)
    return found


def _lock(folder: Path, kind: int) -> int | None:
    """Take the folder's lock, alone (LOCK_EX) or with others who look; None where it is held."""
    file = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    return file


def _worker(folder: Path, orders_path: Path, log: Path, lock: int) -> int:
    """Start the process in a session of its own; it inherits the lock, and lets go of it by ending."""
    (folder / "state.json").unlink(missing_ok=True)
    told = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
    worker = subprocess.Popen(
        [sys.executable, "-m", "runbook.transfer", str(orders_path), str(folder / "journal.jsonl")],
        stdin=subprocess.DEVNULL,
        stdout=told,
        stderr=told,
        start_new_session=True,
        pass_fds=[lock],
    )
    os.close(told)
    return worker.pid


def _keep(folder: Path, state: State) -> None:
    fresh = folder / "state.json.new"
    fresh.touch(mode=0o600)
    fresh.write_text(state.text(), encoding="utf-8")
    fresh.replace(folder / "state.json")


def main(action: str, folder: str, *orders: str) -> None:
    """Do what the command line says, and print the state after it."""
    acts = {"start": start, "look": look, "stop": stop}
    state = acts[action](Path(folder), *map(Path, orders))  # type: ignore[operator] # each has its own arguments
    sys.stdout.write(state.text() + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
