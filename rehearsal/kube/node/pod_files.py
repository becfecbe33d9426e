"""Where a Pod's files are on this machine."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class PodFiles:
    """The folder of one Pod.

    Args:
        folder: `.../pods/<uid>`.
    """

    folder: Path

    def log(self, container: str, restart: int) -> Path:
        """Give the log of one run of a container, counted from 0."""
        return self.folder / "logs" / container / f"{restart}.log"

    def forget_logs(self, container: str, before: int) -> None:
        """Delete the logs of a container's runs before one."""
        for log in (self.folder / "logs" / container).glob("*.log"):
            if int(log.stem) < before:
                log.unlink()

    def volume(self, name: str) -> Path:
        """Give the folder of a volume."""
        return self.folder / "volumes" / name

    def working_folder(self, container: str) -> Path:
        """Give the folder in which a container runs."""
        return self.folder / "containers" / container

    def description(self, container: str) -> Path:
        """Give the file that tells a container its ports, mounts and neighbours (REHEARSAL_CONTAINER)."""
        return self.folder / "containers" / f"{container}.json"

    def remove(self) -> None:
        """Delete everything."""
        shutil.rmtree(self.folder, ignore_errors=True)
