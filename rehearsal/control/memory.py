"""How much memory this process holds."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

KIB = 1024


def resident_bytes() -> int:
    """Return the resident memory now (Linux), or the most that it was (macOS)."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * KIB
