"""A line to the hub's CDN that is as fast as it is told, and counts what goes over it."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

PIECE = 64 << 10


class Relay:
    """Hands connections on to the CDN.

    Args:
        target: the CDN's address.
        bytes_per_second: of all connections together. A client that is faster leaves nothing unread, so what
            is counted is what it fetched.
    """

    def __init__(self, target: str, bytes_per_second: float) -> None:
        self._target = (urlsplit(target).hostname, urlsplit(target).port)
        self._pace = bytes_per_second
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._free_at = time.monotonic()
        self.fetched = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with near, socket.create_connection(self._target) as far:
            threading.Thread(target=_copy, args=(near, far), daemon=True).start()
            with contextlib.suppress(OSError):
                while piece := far.recv(PIECE):
                    self._wait_for_turn(len(piece))
                    near.sendall(piece)

    def _wait_for_turn(self, size: int) -> None:
        with self._lock:
            self._free_at = max(self._free_at, time.monotonic()) + size / self._pace
            wait = self._free_at - time.monotonic()
            self.fetched += size
        time.sleep(max(0.0, wait))


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(PIECE):
            sink.sendall(piece)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def relayed(home: Path, bytes_per_second: float) -> Iterator[Relay]:
    """Have the hub of a stand-in name a relay as its CDN.

    Args:
        home: the stand-in's folder.
    """
    path = home / "endpoints.json"
    before = path.read_text()
    relay = Relay(json.loads(before)["cdn"], bytes_per_second)
    path.write_text(json.dumps(json.loads(before) | {"cdn": relay.address}))
    try:
        yield relay
    finally:
        path.write_text(before)
        relay.close()
