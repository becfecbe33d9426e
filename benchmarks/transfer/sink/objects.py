"""What the sink remembers of the bytes that it threw away."""

from __future__ import annotations

import base64
import hashlib
import itertools
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import google_crc32c


class Hashes:
    """The hashes of an object's bytes.

    Args:
        md5: whether the writer wants it. It takes the sink most of a core, so only gcloud gets it, which
            refuses an answer without.
    """

    def __init__(self, *, md5: bool) -> None:
        self._crc32c = google_crc32c.Checksum()  # type: ignore[no-untyped-call]  # it has no types
        self._md5 = hashlib.md5(usedforsecurity=False) if md5 else None

    def update(self, piece: bytes) -> None:
        """Hash some bytes."""
        self._crc32c.update(piece)  # type: ignore[no-untyped-call]  # it has no types
        if self._md5:
            self._md5.update(piece)

    def document(self) -> dict[str, str]:
        """Show them as the API does."""
        crc32c: bytes = self._crc32c.digest()  # type: ignore[no-untyped-call]  # it has no types
        found = {"crc32c": crc32c} | ({"md5Hash": self._md5.digest()} if self._md5 else {})
        return {name: base64.b64encode(digest).decode() for name, digest in found.items()}


@dataclass(frozen=True)
class Stored:
    """An object without its bytes.

    Args:
        size: how many there were.
        hashes: none for a composite, whose bytes were never seen in their order.
        metadata: what the writer recorded with it.
    """

    bucket: str
    name: str
    size: int
    hashes: Mapping[str, str]
    generation: int
    metadata: Mapping[str, str]

    def document(self, origin: str) -> dict[str, Any]:
        """Show it as the API does."""
        path = f"{origin}/storage/v1/b/{self.bucket}/o/{quote(self.name, safe='')}"
        return {
            "kind": "storage#object",
            "id": f"{self.bucket}/{self.name}/{self.generation}",
            "selfLink": path,
            "bucket": self.bucket,
            "name": self.name,
            "size": str(self.size),
            "generation": str(self.generation),
            "metageneration": "1",
            "storageClass": "STANDARD",
            "timeCreated": "2026-11-01T00:00:00.000Z",
            "updated": "2026-11-01T00:00:00.000Z",
            "etag": str(self.generation),
            "metadata": dict(self.metadata),
            **self.hashes,
        }


@dataclass
class Upload:
    """A resumable upload.

    Args:
        received: how many bytes have come; all of them are kept.
        done: the object, when it is made.
    """

    bucket: str
    name: str
    metadata: Mapping[str, str]
    hashes: Hashes
    received: int = 0
    done: Stored | None = None

    def take(self, piece: bytes) -> None:
        """Count and hash some bytes."""
        self.hashes.update(piece)
        self.received += len(piece)


class Objects:
    """All objects and uploads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._objects: dict[tuple[str, str], Stored] = {}
        self._generations = itertools.count(1)
        self.uploads: dict[str, Upload] = {}

    def start(self, upload: Upload) -> str:
        """Open a session, and return its id."""
        key = secrets.token_urlsafe(16)
        self.uploads[key] = upload
        return key

    def store(
        self, bucket: str, name: str, size: int, hashes: Mapping[str, str], metadata: Mapping[str, str]
    ) -> Stored:
        """Make an object."""
        with self._lock:
            made = Stored(bucket, name, size, hashes, next(self._generations), metadata)
            self._objects[bucket, name] = made
        return made

    def find(self, bucket: str, name: str) -> Stored | None:
        """Read an object; None where there is none."""
        return self._objects.get((bucket, name))

    def delete(self, bucket: str, name: str) -> bool:
        """Take an object away, and tell whether it was there."""
        with self._lock:
            return self._objects.pop((bucket, name), None) is not None

    def under(self, bucket: str, prefix: str) -> list[Stored]:
        """List the objects under a prefix by name."""
        with self._lock:
            every = sorted(self._objects.items())
        return [one for (held, name), one in every if held == bucket and name.startswith(prefix)]
