"""Files of a run, for its owner alone: whole or not there at all."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLES = "variables.json"
"""The merged variables of a run, with where each came from; secrets as `***`."""

MANIFESTS = "manifests"
"""The folder of the manifests as a run applied them."""


def keep(path: Path, content: str | bytes) -> None:
    """Write a file that only its owner may read; a reader sees the old one or the new one.

    Args:
        path: its folder is made where it is missing.
        content: what it holds.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
    fresh.replace(path)
