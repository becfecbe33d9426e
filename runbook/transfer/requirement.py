"""The one package that a transfer needs, as constraints.txt pins it for everything else."""

from __future__ import annotations

from runbook.transfer.archive import ROOT

PACKAGE = "google-crc32c"


def requirement() -> str:
    """Give it as pip takes it, such as google-crc32c==1.9.0."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return next(line for line in lines if line.startswith(f"{PACKAGE}=="))
