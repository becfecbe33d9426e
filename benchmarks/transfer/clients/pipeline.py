"""The project's own pipeline without the step around it; told `bare`, without hashing and journal."""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks.transfer.clients.job import Job
from runbook.transfer import all_files, move
from runbook.transfer.checksums import Checksums
from runbook.transfer.files import Consignment, Delivery, HubFile
from runbook.transfer.journal import Checkpoint, Journal
from runbook.transfer.session import StoredObject
from runbook.transfer.surroundings import Surroundings

AT_ONCE = 5
"""As `transfer.files_at_once` is by default."""


class Unhashed(Checksums):
    """Counts bytes, and believes them."""

    def update(self, piece: memoryview) -> None:
        """Count them."""
        self.position += len(piece)

    def state(self) -> dict[str, Any] | None:
        """Keep nothing."""
        return None

    @property
    def right(self) -> bool:
        """Believe it."""
        return True

    @property
    def crc32c(self) -> str:
        """Give none."""
        return ""


class Unchecked(move.Move):
    """Believes the bucket, too."""

    def _differs(self, made: StoredObject) -> bool:  # noqa: ARG002 - it is not looked at
        return False


class Unkept(Journal):
    """Keeps nothing."""

    def keep(self, delivery: Delivery, checkpoint: Checkpoint) -> None:
        """Keep nothing."""


class Sessions:
    """Opens upload sessions."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def open(self, delivery: Delivery) -> str:
        """Open one."""
        query = urlencode({"uploadType": "resumable", "name": delivery.name})
        url = f"{self._job.storage}/upload/storage/v1/b/{self._job.bucket}/o?{query}"
        headers = {"Authorization": f"Bearer {self._job.token}", "Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(url, b"{}", headers)) as answer:
            return str(answer.headers["Location"])

    def held(self, delivery: Delivery) -> StoredObject | None:  # noqa: ARG002 - the protocol's
        """Know of nothing."""
        return None


class Silence:
    """Is told, and says nothing."""

    def transferred(self, name: str, done: int, total: int, retries: int) -> None:
        """Hear a file's progress."""

    def warning(self, text: str) -> None:
        """Hear a trouble."""


def main(bare: bool) -> None:
    """Move each file."""
    job = Job.told()
    with urllib.request.urlopen(f"{job.hub}/api/models/{job.repository}?blobs=true") as answer:
        model = json.load(answer)
    deliveries = [
        Delivery(_file(one), f"{job.folder}/{one['rfilename']}", {}, 0) for one in model["siblings"]
    ]
    order = Consignment(
        job.hub, None, job.repository, model["sha"], job.bucket, deliveries, AT_ONCE, 60.0, together=False
    )
    if bare:
        vars(move)["Checksums"], vars(all_files)["Move"] = Unhashed, Unchecked
    with tempfile.TemporaryDirectory() as folder:
        journal = (Unkept if bare else Journal)(Path(folder) / "transfer.jsonl", job.bucket, print)
        all_files.move_all(
            Surroundings(order, Sessions(job), journal, Silence(), threading.Event()), time.sleep
        )
        journal.close()


def _file(one: Mapping[str, Any]) -> HubFile:
    lfs = one.get("lfs")
    digest = f"sha256:{lfs['sha256']}" if lfs else f"git-sha1:{one['blobId']}"
    return HubFile(one["rfilename"], one["size"], digest)


if __name__ == "__main__":
    main("bare" in sys.argv[1:])
