"""What a file's bytes must add up to: the hub's hash, and the checksum that Cloud Storage compares."""

from __future__ import annotations

import base64
import ctypes
import hashlib
from collections.abc import Mapping
from typing import Any, cast

import google_crc32c

from runbook.transfer.files import HubFile
from runbook.transfer.sha256 import KeepableSha256, openssl

SHA256 = "sha256:"


class Checksums:
    """Hash and CRC32C of the first `position` bytes of a file.

    Args:
        file: whose bytes they are; its digest says which hash is wanted.
    """

    def __init__(self, file: HubFile) -> None:
        self.position = 0
        self._crc32c = 0
        self._wanted = file.digest
        self._hash = _begin(file)

    @classmethod
    def resumed(cls, file: HubFile, state: Mapping[str, Any]) -> Checksums:
        """Go on from what `state` gave."""
        found = cls(file)
        library = openssl()
        if library is not None:
            found._hash = KeepableSha256(library, bytes.fromhex(state["sha256"]))
            found.position, found._crc32c = state["position"], state["crc32c"]
        return found

    def update(self, piece: memoryview) -> None:
        """Take the next bytes, out of a buffer that can be written to."""
        self._hash.update(piece)
        if piece:
            self._crc32c = google_crc32c.extend(self._crc32c, _seen_in_place(piece))
        self.position += len(piece)

    def state(self) -> dict[str, Any] | None:
        """Give what `resumed` needs; None where this hash cannot be kept."""
        if not isinstance(self._hash, KeepableSha256):
            return None
        return {"position": self.position, "crc32c": self._crc32c, "sha256": self._hash.state().hex()}

    @property
    def digest(self) -> str:
        """The hash, written as the file's digest is."""
        return f"{self._wanted.partition(':')[0]}:{self._hash.hexdigest()}"

    @property
    def right(self) -> bool:
        """Whether the bytes are the file's."""
        return self.digest == self._wanted

    @property
    def crc32c(self) -> str:
        """The checksum as Cloud Storage writes it: base64, most significant byte first."""
        return _written(self._crc32c)


def crc32c_of(content: bytes) -> str:
    """Give the CRC32C of bytes in memory, as Cloud Storage writes it."""
    return _written(google_crc32c.value(content))


def _seen_in_place(piece: memoryview) -> bytes:
    """Show a writable buffer as google-crc32c takes it, without a copy: an array of ctypes cannot move.

    Its `extend` refuses a memoryview, whose buffer might be released while it reads.
    """
    return cast("bytes", (ctypes.c_char * len(piece)).from_buffer(piece))


def _written(crc32c: int) -> str:
    return base64.b64encode(crc32c.to_bytes(4, "big")).decode("ascii")


def _begin(file: HubFile) -> Any:
    if not file.digest.startswith(SHA256):
        # a git blob's name, not a protection
        return hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False)
    library = openssl()
    return KeepableSha256(library) if library else hashlib.sha256()
