"""Which tests run on one worker: those of a file, and those of a folder whose files share one long set-up."""

from __future__ import annotations

from xdist.scheduler import LoadFileScheduling

SHARING = ("tests/report_page",)
"""Folders with a set-up that takes a whole rehearsal, once for each worker that runs a file of theirs."""


class FilesTogether(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """Hands out a file at a time, and the files of such a folder as if they were one."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return next((folder for folder in SHARING if file.startswith(f"{folder}/")), file)
