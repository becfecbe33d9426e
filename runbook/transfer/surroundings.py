"""What the files of a consignment share on their way."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Protocol

from runbook.transfer.files import Consignment, Delivery
from runbook.transfer.journal import Journal
from runbook.transfer.session import StoredObject


class Interrupted(Exception):  # noqa: N818 - a signal between threads, not an error
    """The transfer was called off; what was sent is kept."""


class Bucket(Protocol):
    """What a transfer needs of Cloud Storage besides the upload sessions."""

    def open(self, delivery: Delivery) -> str:
        """Open an upload session, and give its address.

        Raises:
            PreconditionFailed: the object has another generation than the delivery says.
        """
        ...

    def held(self, delivery: Delivery) -> StoredObject | None:
        """Look what is there under the object's name; None: nothing."""
        ...


class Watcher(Protocol):
    """Who is told how far the files are."""

    def transferred(self, name: str, done: int, total: int, retries: int) -> None:
        """Take one file's progress, in bytes, and how often it was taken up again."""
        ...

    def warning(self, text: str) -> None:
        """Take what the operator should know though nothing failed."""
        ...


@dataclass(frozen=True)
class Surroundings:
    """What the files of a consignment share.

    Args:
        consignment: what is moved.
        bucket: opens sessions.
        journal: keeps how far each file is.
        watcher: is told.
        stop: set to call the transfer off.
    """

    consignment: Consignment
    bucket: Bucket
    journal: Journal
    watcher: Watcher
    stop: threading.Event
