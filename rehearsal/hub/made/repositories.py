"""Repositories made from their name alone: rehearsal/made-8x256MiB has 8 shards of 256 MiB each."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import asdict

from rehearsal.content import Content, HeldContent
from rehearsal.documents import Document
from rehearsal.hub.files import Commit, File, Repository, large_file, small_file
from rehearsal.hub.made.shard import Shard

_NAME = re.compile(r"rehearsal/made-([1-9]\d{0,2})x([1-9]\d{0,5})(KiB|MiB|GiB)")
_UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_SMALLEST, _LARGEST = 4 << 10, 64 << 30
_CHANGED = "README.md"
"""The small file that the branch v2 has in another version."""


class MadeRepositories:
    """All that can be asked for.

    Args:
        hashes: the shards that have been hashed, by their SHA-256.
    """

    def __init__(self, hashes: MutableMapping[str, Document]) -> None:
        self._hashes = hashes
        self._lock = asyncio.Lock()
        self._made: dict[str, Repository] = {}

    async def find(self, name: str, beside: Sequence[File]) -> Repository | None:
        """Make the repository of a name, or None where the name describes none.

        The branch v2 is main after a change: the first shard and one small file have other bytes.

        Args:
            beside: the files that it has beside its weights.
        """
        described = _described(name)
        if described is None:
            return None
        async with self._lock:
            if name not in self._made:
                self._made[name] = await self._make(name, *described, beside)
            return self._made[name]

    def blob(self, sha256: str) -> Content | None:
        """Find a shard by its hash."""
        described = self._hashes.get(sha256)
        return Shard(**described) if described else None

    async def _make(self, name: str, count: int, size: int, beside: Sequence[File]) -> Repository:
        first, *others = [Shard(number, size, generation=1) for number in range(count)]
        changed = Shard(0, size, generation=2)
        unchanged = [file for file in beside if file.path != _CHANGED]
        readme = _held(_CHANGED, b"# The second version\n")
        return Repository(
            name,
            {
                "main": Commit.of([*await self._weights([first, *others]), *beside]),
                "v2": Commit.of([*await self._weights([changed, *others]), *unchanged, readme]),
            },
        )

    async def _weights(self, shards: Sequence[Shard]) -> list[File]:
        last = len(shards) - 1
        names = {shard: f"model-{shard.number:05}-of-{last:05}.safetensors" for shard in shards}
        files = [large_file(name, shard, await self._sha256(shard)) for shard, name in names.items()]
        return [*files, _held("model.safetensors.index.json", _index(names))]

    async def _sha256(self, shard: Shard) -> str:
        described = asdict(shard)
        for sha256, known in self._hashes.items():
            if known == described:
                return sha256
        sha256 = await asyncio.to_thread(shard.sha256)
        self._hashes[sha256] = described
        return sha256


def _described(name: str) -> tuple[int, int] | None:
    """Read how many shards of how many bytes a name stands for, within reason."""
    asked = _NAME.fullmatch(name)
    if not asked:
        return None
    size = int(asked[2]) * _UNITS[asked[3]]
    return (int(asked[1]), size) if _SMALLEST <= size <= _LARGEST else None


def _held(path: str, data: bytes) -> File:
    return small_file(path, HeldContent(data), data)


def _index(names: Mapping[Shard, str]) -> bytes:
    index = {
        "metadata": {"total_size": sum(shard.tensor_size for shard in names)},
        "weight_map": {shard.tensor: name for shard, name in names.items()},
    }
    return json.dumps(index, indent=2).encode() + b"\n"
