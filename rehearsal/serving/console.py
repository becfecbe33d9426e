"""What a program says to its user, at once: a container's log is read while it runs."""

from __future__ import annotations

import sys


def say(text: object) -> None:
    """Write a line to stdout."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def complain(text: object) -> None:
    """Write a line to stderr."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
