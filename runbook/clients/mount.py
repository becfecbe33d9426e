"""The bucket through the mount of section 3.2.1, gcsfs: upload sessions, small objects, deletions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import gcsfs.retry

from runbook.clients.file_system import gcsfs_errors
from runbook.engine.errors import ConflictError, Place
from runbook.transfer.checksums import crc32c_of
from runbook.transfer.files import Delivery
from runbook.transfer.session import PreconditionFailed, StoredObject

PRECONDITION_FAILED = 412


class Mount:
    """One bucket. It is what a transfer needs of Cloud Storage (`runbook.transfer.surroundings.Bucket`).

    Args:
        file_system: gcsfs.
        bucket: the bucket's name.
    """

    def __init__(self, file_system: Any, bucket: str) -> None:
        self._file_system = file_system
        self._bucket = bucket
        self._origin = urlsplit(file_system.base)._replace(path="").geturl()

    def open(self, delivery: Delivery) -> str:
        """Open an upload session, and give its address, which is a credential.

        Raises:
            PreconditionFailed: the object has another generation than the delivery says.
            RunbookError: Cloud Storage refused.
        """
        with gcsfs_errors(self._place("POST", delivery.name)):
            try:
                return self._open(
                    delivery.name, delivery.metadata, ifGenerationMatch=str(delivery.generation)
                )
            except gcsfs.retry.HttpError as error:
                if int(error.code) == PRECONDITION_FAILED:
                    raise PreconditionFailed from error
                raise

    def held(self, delivery: Delivery) -> StoredObject | None:
        """Look what is there under the object's name."""
        with gcsfs_errors(self._place("GET", delivery.name)):
            try:
                found = self._file_system.call("GET", *self._object(delivery.name), json_out=True)
            except FileNotFoundError:
                return None
        return StoredObject(int(found["size"]), found["crc32c"], int(found["generation"]))

    def write(self, name: str, content: bytes, metadata: Mapping[str, str], generation: int) -> None:
        """Write a small object that is in memory and not empty.

        Args:
            generation: of the object that it replaces; 0: there must be none.

        Raises:
            ConflictError: somebody else wrote it meanwhile.
        """
        place = self._place("POST", name)
        with gcsfs_errors(place), _unchanged(place):
            session = self._open(name, metadata, ifGenerationMatch=str(generation))
            span = f"0-{len(content) - 1}/{len(content)}"
            headers = {"Content-Range": f"bytes {span}", "X-Goog-Hash": f"crc32c={crc32c_of(content)}"}
            self._file_system.call("PUT", session, headers=headers, data=content)

    def delete(self, name: str, generation: int) -> None:
        """Delete an object of that generation; one that is gone already is no trouble.

        Raises:
            ConflictError: somebody else wrote it meanwhile.
        """
        place = self._place("DELETE", name)
        with gcsfs_errors(place), _unchanged(place), suppress(FileNotFoundError):
            self._file_system.call("DELETE", *self._object(name), ifGenerationMatch=str(generation))

    def _open(self, name: str, metadata: Mapping[str, str], **conditions: str) -> str:
        headers, _ = self._file_system.call(
            "POST",
            f"{self._origin}/upload/storage/v1/b/{self._bucket}/o",
            name=name,
            uploadType="resumable",
            json={"name": name, "metadata": dict(metadata)},
            headers={"X-Upload-Content-Type": "application/octet-stream"},
            **conditions,
        )
        return str(headers["Location"])

    def _object(self, name: str) -> tuple[str, str, str]:
        """Give the path of an object, as gcsfs fills it in."""
        return "b/{}/o/{}", self._bucket, name

    def _place(self, method: str, name: str) -> Place:
        return Place(f"{method} gs://{self._bucket}/{name}")


@contextmanager
def _unchanged(place: Place) -> Iterator[None]:
    try:
        yield
    except gcsfs.retry.HttpError as error:
        if int(error.code) != PRECONDITION_FAILED:
            raise
        raise ConflictError(
            "somebody else wrote this object meanwhile", place=place, remedy="run the same line again"
        ) from error
