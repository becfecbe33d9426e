"""What a command line costs: time, CPU, memory and disk of its whole process tree."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_BLOCK = 512
"""Bytes of one of the kernel's blocks in ru_oublock."""


@dataclass(frozen=True)
class Usage:
    """What was used.

    Args:
        seconds: by the clock.
        cpu_seconds: user and system, of the process and all that it has waited for.
        peak_mb: resident, of the largest of these processes.
        written_mb: to local disks.
    """

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_mb: float = 0.0
    written_mb: float = 0.0

    def then(self, other: Usage) -> Usage:
        """Add what a command used that ran after this one."""
        return Usage(
            self.seconds + other.seconds,
            self.cpu_seconds + other.cpu_seconds,
            max(self.peak_mb, other.peak_mb),
            self.written_mb + other.written_mb,
        )


def run(command: Sequence[str], folder: Path, environ: Mapping[str, str]) -> Usage:
    """Run a command line to its end.

    Raises:
        RuntimeError: it failed; the text has its last words.
    """
    with tempfile.TemporaryFile() as said:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=dict(environ), stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            words = said.read()[-2000:].decode(errors="replace")
            raise RuntimeError(f"{' '.join(command)}: exit code {process.returncode}\n{words}")
    return Usage(
        seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1000 * 1.024, used.ru_oublock * _BLOCK / 1e6
    )
