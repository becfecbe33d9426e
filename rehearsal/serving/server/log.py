"""vLLM's log lines: who says it, when, from where."""

from __future__ import annotations

import sys
import traceback
from datetime import datetime

API_SERVER = "APIServer"


class Log:
    """Writes lines as vLLM does, each with the process it comes from.

    Args:
        process_id: the pid to print; 1 in a container.
    """

    def __init__(self, process_id: int) -> None:
        self._process_id = process_id

    def say(self, place: str, message: str, process: str = API_SERVER) -> None:
        """Say what happens; place is the source file and line that vLLM would name."""
        self._leveled("INFO", place, message, process)

    def caution(self, place: str, message: str, process: str = API_SERVER) -> None:
        """Say what may be wrong."""
        self._leveled("WARNING", place, message, process)

    def fail(self, place: str, message: str, process: str = API_SERVER) -> None:
        """Say what went wrong."""
        self._leveled("ERROR", place, message, process)

    def plain(self, message: str, process: str = API_SERVER) -> None:
        """Write a line without level and time, as uvicorn and loaders do."""
        self._write(process, message)

    def uvicorn(self, message: str) -> None:
        """Write a line of the HTTP server."""
        self._write(API_SERVER, f"INFO:     {message}")

    def traceback(self, error: BaseException, called: str, process: str = API_SERVER) -> None:
        """Write an exception as Python does, by the name that vLLM's users know it."""
        for line in traceback.format_tb(error.__traceback__):
            for part in line.rstrip("\n").split("\n"):
                self._write(process, part)
        for part in f"{called}: {error}".split("\n"):
            self._write(process, part)

    def _leveled(self, level: str, place: str, message: str, process: str) -> None:
        time = datetime.now().strftime("%m-%d %H:%M:%S")
        for line in message.split("\n"):
            self._write(process, f"{level} {time} [{place}] {line}")

    def _write(self, process: str, text: str) -> None:
        process_id = self._process_id if process == API_SERVER else self._process_id + _OFFSETS[process]
        sys.stdout.write(f"({process} pid={process_id}) {text}\n")
        sys.stdout.flush()


_OFFSETS = {f"EngineCore_DP{rank}": 270 + rank for rank in range(256)}
