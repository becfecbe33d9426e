"""Hub to bucket without a local disk: streamed, hashed on the way, an object only when the hash is right."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import google_crc32c

from runbook.clients.file_system import UnclosableBytesIO, gcsfs_errors, initiate_upload, sync
from runbook.clients.hub import Hub, HubFile, HubModel
from runbook.engine.errors import FailedError, PassingError, Place, RunbookError

CHUNK = 8 << 20
"""Bytes of one request to the bucket; a multiple of the 256 KiB that Cloud Storage asks for."""

Progress = Callable[[str, int, int], None]
"""Told a file's name, the bytes that have arrived so far, and the bytes in all."""


@dataclass(frozen=True)
class Delivery:
    """One file on its way.

    Args:
        file: what the hub has.
        name: of the object.
        metadata: recorded with the object.
        replaces: whether an object of that name is there already, and is to be replaced.
    """

    file: HubFile
    name: str
    metadata: Mapping[str, str]
    replaces: bool


class Interrupted(Exception):  # noqa: N818 - a signal between threads, not an error
    """The transfer was called off."""


class Draft:
    """An object in the making. Nobody sees it before it is committed.

    Args:
        file_system: gcsfs.
        bucket: the bucket's name.
        name: of the object.
        metadata: recorded with the object.
        replaces: False: it is an error when an object of that name appears meanwhile.
    """

    def __init__(
        self, file_system: Any, bucket: str, name: str, metadata: Mapping[str, str], *, replaces: bool
    ) -> None:
        self._file_system = file_system
        self._place = Place(f"PUT gs://{bucket}/{name}")
        self._buffer = bytearray()
        self._sent = 0
        self._checksum = google_crc32c.Checksum()  # type: ignore[no-untyped-call] # it has no types
        with gcsfs_errors(self._place):
            self._session: str = sync(
                file_system.loop,
                initiate_upload,
                file_system,
                bucket,
                name,
                metadata=dict(metadata),
                mode="overwrite" if replaces else "create",
            )

    def write(self, piece: bytes) -> None:
        """Take the next bytes; the last ones are held back until `commit`."""
        self._checksum.update(piece)  # type: ignore[no-untyped-call] # as above
        self._buffer += piece
        while len(self._buffer) > CHUNK:
            self._send(CHUNK, "*")

    def commit(self) -> str:
        """Send what was held back; Cloud Storage compares the checksum and makes the object.

        Returns:
            base64 of the CRC32C.
        """
        digest: bytes = self._checksum.digest()  # type: ignore[no-untyped-call] # as above
        checksum = base64.b64encode(digest).decode("ascii")
        total = self._sent + len(self._buffer)
        while not self._send(len(self._buffer), str(total), {"X-Goog-Hash": f"crc32c={checksum}"}):
            pass  # a part of the last chunk was kept: the rest is sent
        return checksum

    def discard(self) -> None:
        """Forget it; what was sent is thrown away by Cloud Storage."""
        # a session that could not be cancelled ends by itself, within a week, without an object
        with suppress(RunbookError), gcsfs_errors(self._place):
            self._file_system.call("DELETE", self._session)

    def _send(self, size: int, total: str, headers: Mapping[str, str] | None = None) -> bool:
        """Send the buffer's first bytes, and drop from it what Cloud Storage has kept of them.

        Returns:
            Whether the object is made: the answer names no range that it still waits to go on from.
        """
        span = f"{self._sent}-{self._sent + size - 1}" if size else "*"
        with gcsfs_errors(self._place):
            answered, _ = self._file_system.call(
                "PUT",
                self._session,
                headers={"Content-Range": f"bytes {span}/{total}", **(headers or {})},
                data=UnclosableBytesIO(self._buffer[:size]),
            )
        kept = self._kept(answered.get("Range"), size, final=total != "*")
        if size and not kept:
            raise PassingError("Cloud Storage kept nothing of what it was sent", place=self._place)
        del self._buffer[:kept]
        self._sent += kept
        return total != "*" and "Range" not in answered

    def _kept(self, persisted: str | None, size: int, *, final: bool) -> int:
        """Tell how much of a chunk was kept: all where the object is made, else up to `Range: bytes=0-N`."""
        if persisted is None:
            return size if final else 0
        return int(persisted.rpartition("-")[2]) + 1 - self._sent


def deliver(
    hub: Hub,
    file_system: Any,
    model: HubModel,
    bucket: str,
    delivery: Delivery,
    *,
    progress: Progress,
    stop: threading.Event,
) -> str:
    """Move one file into the bucket. Where anything goes wrong there is no object.

    Returns:
        base64 of the CRC32C.

    Raises:
        FailedError: the bytes are not those that the hub lists.
        Interrupted: `stop` was set.
        RunbookError: hub or bucket refused.
    """
    file = delivery.file
    hasher = file.hasher()
    received = 0
    draft = Draft(file_system, bucket, delivery.name, delivery.metadata, replaces=delivery.replaces)
    try:
        for piece in hub.stream(model, file):
            if stop.is_set():
                raise Interrupted
            hasher.update(piece)
            draft.write(piece)
            received += len(piece)
            progress(file.path, received, file.size)
        if not file.matches(hasher):
            raise FailedError(
                f"{file.path} arrived with {hasher.name} {hasher.hexdigest()}, the hub lists {file.digest}",
                place=Place(f"gs://{bucket}/{delivery.name}"),
                remedy="run the same line again: it moves only this file",
            )
        return draft.commit()
    except BaseException:
        draft.discard()
        raise


def deliver_all(
    hub: Hub,
    file_system: Any,
    model: HubModel,
    bucket: str,
    deliveries: Sequence[Delivery],
    *,
    at_once: int,
    progress: Progress,
    pause: Callable[[float], None],
) -> dict[str, str]:
    """Move several files at the same time; where one fails the others are still finished.

    Args:
        at_once: files on their way at the same time.
        pause: waits some seconds, and raises when the operator interrupts.

    Returns:
        base64 of the CRC32C by the file's path.

    Raises:
        RunbookError: the first failure.
    """
    stop = threading.Event()
    with ThreadPoolExecutor(at_once, thread_name_prefix="transfer") as pool:

        def start(delivery: Delivery) -> Future[str]:
            return pool.submit(
                deliver, hub, file_system, model, bucket, delivery, progress=progress, stop=stop
            )

        moving = {delivery.file.path: start(delivery) for delivery in deliveries}
        try:
            while not all(one.done() for one in moving.values()):
                pause(0.05)
        except BaseException:
            stop.set()
            raise
    return {path: one.result() for path, one in moving.items()}


def write_small(
    file_system: Any, bucket: str, name: str, content: bytes, metadata: Mapping[str, str]
) -> None:
    """Write a small object that is in memory, whatever was there before."""
    draft = Draft(file_system, bucket, name, metadata, replaces=True)
    draft.write(content)
    draft.commit()
