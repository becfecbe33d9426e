"""Content that is served: where its bytes come from is its own affair."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

PIECE = 1024 * 1024


class Content(Protocol):
    """Some bytes that are read a piece at a time, so that their size is no matter of memory."""

    @property
    def size(self) -> int:
        """Tell how many bytes there are."""
        ...

    def pieces(self, wanted: range) -> AsyncIterator[bytes | memoryview]:
        """Read the bytes of some offsets, in order.

        Args:
            wanted: offsets that are inside.
        """
        ...


@dataclass(frozen=True)
class StoredContent:
    """A file on this machine's disk.

    Args:
        path: the file.
        size: in bytes.
    """

    path: Path
    size: int

    async def pieces(self, wanted: range) -> AsyncIterator[bytes | memoryview]:
        """Read from the disk, beside the event loop."""
        with self.path.open("rb") as file:
            file.seek(wanted.start)
            for start in range(wanted.start, wanted.stop, PIECE):
                yield await asyncio.to_thread(file.read, min(PIECE, wanted.stop - start))


@dataclass(frozen=True)
class HeldContent:
    """Something small that is in memory.

    Args:
        data: all of it.
    """

    data: bytes

    @property
    def size(self) -> int:
        """Tell how many bytes there are."""
        return len(self.data)

    async def pieces(self, wanted: range) -> AsyncIterator[bytes | memoryview]:
        """Give the part at once."""
        yield self.data[wanted.start : wanted.stop]
