"""What Cloud Storage remembers about buckets, objects, folders, policies and uploads."""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime

from rehearsal.documents import Collection, Database, Document
from rehearsal.storage.errors import no_such_bucket, no_such_object


class Catalogue:
    """The metadata of all buckets, kept in the stand-in's database.

    Args:
        database: where it outlives the process.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._last_generation = 0
        self.buckets = database.collection("storage.buckets")
        self.policies = database.collection("storage.policies")
        self.uploads = database.collection("storage.uploads")

    def objects(self, bucket: str) -> Collection:
        """Open the live objects of a bucket, by name."""
        return self._database.collection(f"storage.objects/{bucket}")

    def folders(self, bucket: str) -> Collection:
        """Open the folders of a bucket with hierarchical namespace, by name with its closing slash."""
        return self._database.collection(f"storage.folders/{bucket}")

    def bucket(self, name: str) -> Document:
        """Read a bucket.

        Raises:
            StorageError: 404 where it is not there.
        """
        if name not in self.buckets:
            raise no_such_bucket()
        return self.buckets[name]

    def object(self, bucket: str, name: str, generation: str | None = None) -> Document:
        """Read an object's row.

        Raises:
            StorageError: 404 where the bucket, the object or that generation of it is not there.
        """
        self.bucket(bucket)
        row = self.objects(bucket).get(name)
        if row is None or generation not in (None, row["generation"]):
            raise no_such_object(bucket, name)
        return row

    def next_generation(self) -> str:
        """Number a new object: microseconds since 1970, always greater than the one before."""
        self._last_generation = max(self._last_generation + 1, time.time_ns() // 1000)
        return str(self._last_generation)


def now() -> str:
    """Write the time as the API does: RFC 3339, UTC, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def etag(*counters: int) -> str:
    """Make the API's entity tag of generation and metageneration: their varints, base64 (1 -> CAE=)."""
    fields = (bytes([8 * (place + 1)]) + _varint(counter) for place, counter in enumerate(counters))
    return base64.b64encode(b"".join(fields)).decode()


def _varint(value: int) -> bytes:
    octets = bytearray()
    while value > 127:
        octets.append(value & 127 | 128)
        value >>= 7
    octets.append(value)
    return bytes(octets)
