"""One safetensors file of any size: noise with its place stamped on every page, made when it is asked for."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import cache

from rehearsal.content import PIECE

RECIPE = 1
"""To be raised with every change of the bytes that are made here, for their hashes are remembered."""

_HEADER = 256
_PAGE = 4096
"""Each has a stamp of its own, so that bytes that went astray, however few, give another hash."""


@dataclass(frozen=True)
class Shard:
    """A file of weights.

    Args:
        number: its place among the shards.
        size: of the file, in bytes; at least one page.
        generation: another one has other bytes.
    """

    number: int
    size: int
    generation: int

    @property
    def tensor(self) -> str:
        """Name the one tensor in it."""
        return f"made.{self.number}.weight"

    @property
    def tensor_size(self) -> int:
        """Tell how many bytes the tensor has."""
        return self.size - _HEADER

    async def pieces(self, wanted: range) -> AsyncIterator[bytes | memoryview]:
        """Make the bytes of some offsets."""
        for start in range(wanted.start - wanted.start % PIECE, wanted.stop, PIECE):
            yield self._piece(start)[max(0, wanted.start - start) : wanted.stop - start]

    def sha256(self) -> str:
        """Hash all of it, which takes its time."""
        hasher = hashlib.sha256()
        for start in range(0, self.size, PIECE):
            hasher.update(self._piece(start)[: self.size - start])
        return hasher.hexdigest()

    def _piece(self, start: int) -> memoryview:
        piece = bytearray(_noise())
        stamp = struct.pack(">HHI", self.generation, self.number, start // PIECE)
        for place, octet in enumerate(stamp):
            piece[place::_PAGE] = bytes([octet]) * (PIECE // _PAGE)
        if start == 0:
            piece[:_HEADER] = self._header()
        return memoryview(piece)

    def _header(self) -> bytes:
        size = self.tensor_size
        tensor = {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}
        text = json.dumps({"__metadata__": {"format": "pt"}, self.tensor: tensor}).encode()
        return struct.pack("<Q", _HEADER - 8) + text.ljust(_HEADER - 8)


@cache
def _noise() -> bytes:
    return hashlib.shake_256(b"rehearsal").digest(PIECE)
