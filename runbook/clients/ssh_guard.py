"""Runs a program for as long as whoever started this lives: `python ssh_guard.py PROGRAM ARGUMENT...`.

Whoever starts it holds the other end of its standard input and never writes. The end of that means that they
are gone, by Ctrl-C or by kill -9, and the program is ended. Should this be killed with -9, Linux ends it.
Only the standard library is used, so that it starts at once.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

PATIENCE_SECONDS = 2.0
PR_SET_PDEATHSIG = 1


def guard(command: Sequence[str]) -> int:
    """Run a program, and end it when the standard input ends.

    Args:
        command: its argv.
    """
    # this thread starts it and waits for it: Linux would take the end of another thread for this one's
    on_linux = _end_with_parent if sys.platform == "linux" else None
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        preexec_fn=on_linux,  # noqa: PLW1509 - one system call, and this process has no other thread
    )
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    threading.Thread(target=_watch, args=(child,), daemon=True).start()
    return child.wait()


def _watch(child: subprocess.Popen[bytes]) -> None:
    while os.read(0, 1):
        continue
    child.terminate()
    try:
        child.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(guard(sys.argv[1:]))
