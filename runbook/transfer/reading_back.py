"""Objects read back from the bucket, every byte of them, and hashed as the hub hashes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import quote

from runbook.engine.errors import PassingError, Place, RunbookError
from runbook.transfer import refusals
from runbook.transfer.all_files import LOOK_S
from runbook.transfer.checksums import Checksums
from runbook.transfer.connection import Connection, passing_troubles
from runbook.transfer.files import HubFile
from runbook.transfer.patience import MOST_FAILURES, seconds_after
from runbook.transfer.source import pieces_of
from runbook.transfer.surroundings import Interrupted, Watcher


@dataclass(frozen=True)
class Shelf:
    """A bucket that is read.

    Args:
        storage: base address of Cloud Storage.
        bucket: the bucket's name.
        authorize: gives the headers that let this login read; they are asked for anew with each request.
        stall_s: seconds without a byte after which a connection is given up.
        watcher: is told how far each object is.
        stop: set to call it off.
    """

    storage: str
    bucket: str
    authorize: Callable[[], Mapping[str, str]]
    stall_s: float
    watcher: Watcher
    stop: threading.Event

    def digest(self, name: str, file: HubFile) -> str:
        """Read one object, and give its hash in the form of the file's digest.

        Args:
            name: of the object.
            file: what it should be; the object has as many bytes.

        Raises:
            RunbookError: the bucket refused, or its connections broke too often in a row.
        """
        checksums = Checksums(file)
        failures = retries = 0
        while checksums.position < file.size:
            before = checksums.position
            try:
                self._read_on(name, file, checksums, retries)
            except PassingError as error:
                failures = 0 if checksums.position > before else failures + 1
                retries += 1
                if failures == MOST_FAILURES:
                    raise
                if self.stop.wait(seconds_after(error, failures)):
                    raise Interrupted from error
        return checksums.digest

    def _read_on(self, name: str, file: HubFile, checksums: Checksums, retries: int) -> None:
        url = f"{self.storage}/storage/v1/b/{self.bucket}/o/{quote(name, safe='')}?alt=media"
        place = Place(f"GET gs://{self.bucket}/{name}")
        start = checksums.position
        connection = Connection(url, self.stall_s)
        try:
            with passing_troubles(place):
                connection.begin(
                    "GET", url, {**self.authorize(), **({"Range": f"bytes={start}-"} if start else {})}
                )
                answer = connection.answer()
            if answer.status not in {200, 206}:
                text = answer.read(4096).decode(errors="replace")
                raise refusals.of_bucket(answer.status, dict(answer.headers), text, place)
            for piece in pieces_of(answer, file, start, place):
                if self.stop.is_set():
                    raise Interrupted
                checksums.update(piece)
                self.watcher.transferred(file.path, checksums.position, file.size, retries)
        finally:
            connection.close()


def digests(
    shelf: Shelf, files: Sequence[tuple[str, HubFile]], at_once: int, pause: Callable[[float], object]
) -> dict[str, str]:
    """Read several objects at the same time.

    Args:
        files: the objects' names, and what each should be.
        at_once: objects that are read at the same time.
        pause: waits some seconds, and raises when the operator interrupts.

    Returns:
        the hashes by the files' paths.
    """
    with ThreadPoolExecutor(at_once, thread_name_prefix="verify") as pool:
        reading = {file.path: pool.submit(shelf.digest, name, file) for name, file in files}
        try:
            while not all(one.done() for one in reading.values()):
                pause(LOOK_S)
        except BaseException:
            shelf.stop.set()
            raise
    failed = [error for one in reading.values() if isinstance(error := one.exception(), RunbookError)]
    if failed:
        raise failed[0]
    return {path: one.result() for path, one in reading.items()}
