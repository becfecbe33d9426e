"""The folder of blobs: one file for each object generation, and the drafts that are to become one."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from pathlib import Path

from rehearsal.storage.drafts import Content, Draft


class Blobs:
    """Files under one folder, on one file system, so that a rename is atomic.

    Args:
        folder: made where it is missing, mode 0700.
    """

    def __init__(self, folder: Path) -> None:
        self._kept = folder / "blobs"
        self._drafts = folder / "drafts"
        for place in (folder, self._kept, self._drafts):
            place.mkdir(mode=0o700, parents=True, exist_ok=True)

    def path(self, blob: str) -> Path:
        """Name the file that holds a blob."""
        return self._kept / blob

    def draft(self) -> Draft:
        """Begin a new blob."""
        return Draft(self._drafts / secrets.token_hex(16))

    async def reopen(self, name: str) -> Draft:
        """Take up the draft of that name from before a restart."""
        return await Draft.reopen(self._drafts / name)

    def keep(self, content: Content) -> None:
        """Give a finished draft its place among the blobs, in one step."""
        (self._drafts / content.blob).rename(self.path(content.blob))

    def link(self, blob: str) -> str:
        """Make a draft of the bytes of a blob: a copy that costs nothing, for blobs never change."""
        copy = secrets.token_hex(16)
        (self._drafts / copy).hardlink_to(self.path(blob))
        return copy

    def discard(self, blob: str) -> None:
        """Remove a blob; who is reading it keeps on reading."""
        self.path(blob).unlink(missing_ok=True)

    def discard_draft(self, name: str) -> None:
        """Remove a draft that will never be finished."""
        (self._drafts / name).unlink(missing_ok=True)

    def sweep(self, blobs: Iterable[str], drafts: Iterable[str]) -> None:
        """Remove what a kill left behind: files that no object and no upload session knows of."""
        for folder, known in ((self._kept, set(blobs)), (self._drafts, set(drafts))):
            for path in folder.iterdir():
                if path.name not in known:
                    path.unlink()
