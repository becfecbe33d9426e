"""What lies and runs on the far host, seen from there."""

from __future__ import annotations

import json
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.rehearsal.stand_in import eventually


@dataclass(frozen=True)
class FarSide:
    """The far host.

    Args:
        folder: `transfer.ssh.folder`.
    """

    folder: Path

    def files(self, pattern: str) -> list[Path]:
        """Find files by a pattern."""
        return sorted(self.folder.rglob(pattern))

    @property
    def state(self) -> dict[str, Any]:
        """What is noted of the transfer."""
        (path,) = self.files("state.json")
        state: dict[str, Any] = json.loads(path.read_text())
        return state

    @property
    def pid(self) -> int:
        """The transfer's process."""
        return int(self.state["pid"])

    @property
    def runs(self) -> bool:
        """Whether that process is there."""
        try:
            state = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return False
        return state != "Z"

    def log(self) -> list[dict[str, Any]]:
        """What the transfer has told."""
        return [json.loads(line) for path in self.files("log-*") for line in path.read_text().splitlines()]

    def done(self, name: str) -> int:
        """How many bytes of a file have arrived, as far as was told."""
        told = [event["done"] for event in self.log() if event.get("name") == name]
        return max(told, default=0)

    def wait_for(self, name: str, done: int = 1) -> None:
        """Wait until so many bytes of a file have arrived."""
        eventually(lambda: bool(self.files("state.json")) and self.done(name) >= done)

    def kill(self) -> None:
        """Kill the transfer with -9, where there is one."""
        with suppress(ProcessLookupError, ValueError):
            os.kill(self.pid, signal.SIGKILL)
