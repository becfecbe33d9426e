"""Bytes on their way to become an object: written and hashed piece by piece, complete or nothing."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import google_crc32c

GRANULE = 256 * 1024
_PIECE = 4 * GRANULE
_extend_crc32c: Callable[[int, bytes], int] = google_crc32c.extend


@dataclass(frozen=True)
class Content:
    """The bytes of one object generation.

    Args:
        blob: the name of their file in the blob folder.
        size: in bytes.
        crc32c: base64, big-endian, as the API gives it.
        md5: base64; composite objects have none.
    """

    blob: str
    size: int
    crc32c: str
    md5: str | None


class Draft:
    """A file that grows. What is on disk is always a multiple of 256 KiB until it is finished.

    Args:
        path: the file; what it already holds belongs to the draft (a resumed upload).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.persisted = 0
        self._pending = bytearray()
        self._writing: asyncio.Task[None] | None = None
        self._crc32c = 0
        self._md5 = hashlib.md5(usedforsecurity=False)

    @classmethod
    async def reopen(cls, path: Path) -> Draft:
        """Take up a draft from before a restart; what is beyond a multiple of 256 KiB is cut off."""
        draft = cls(path)
        await asyncio.to_thread(draft._reread)
        return draft

    async def append(self, data: bytes) -> None:
        """Add bytes; they are written and hashed off the loop, 1 MiB at a time, while the next come in."""
        self._pending += data
        if len(self._pending) >= _PIECE:
            await self._write(len(self._pending) // GRANULE * GRANULE)

    async def settle(self) -> None:
        """Write whole multiples of 256 KiB; the rest stays in memory."""
        await self._write(len(self._pending) // GRANULE * GRANULE)
        await self._written()

    async def cut(self) -> None:
        """Keep what is a multiple of 256 KiB, forget the rest: the stream broke here."""
        await self.settle()
        self._pending.clear()

    async def finish(self) -> Content:
        """Write the rest and make the file durable; it stays a draft until Blobs.keep gives it its place."""
        await self._write(len(self._pending))
        await self._written()
        self.path.touch(mode=0o600)
        await asyncio.to_thread(_flush_to_disk, self.path)
        crc32c, md5 = self._crc32c.to_bytes(4, "big"), self._md5.digest()
        return Content(self.path.name, self.persisted, _base64(crc32c), _base64(md5))

    async def _write(self, size: int) -> None:
        piece = bytes(memoryview(self._pending)[:size])
        del self._pending[:size]
        await self._written()
        if len(piece) < GRANULE:
            self._put(piece)
        else:
            self._writing = asyncio.create_task(asyncio.to_thread(self._put, piece))

    async def _written(self) -> None:
        if self._writing:
            await self._writing
            self._writing = None

    def _put(self, piece: bytes) -> None:
        if piece:
            with self.path.open("ab") as file:
                file.write(piece)
            self._digest(piece)

    def _digest(self, piece: bytes) -> None:
        self._crc32c = _extend_crc32c(self._crc32c, piece)
        self._md5.update(piece)
        self.persisted += len(piece)

    def _reread(self) -> None:
        if not self.path.exists():
            return
        whole = self.path.stat().st_size // GRANULE * GRANULE
        os.truncate(self.path, whole)
        with self.path.open("rb") as file:
            while piece := file.read(_PIECE):
                self._digest(piece)


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def _flush_to_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
