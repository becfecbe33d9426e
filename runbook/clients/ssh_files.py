"""Files on another host, by SFTP."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final

from paramiko import SFTPClient

PIECE: Final = 1 << 20


def put(files: SFTPClient, path: str, content: bytes) -> None:
    """Write a file that nobody else may read (0600); it appears whole, in place of what was there."""
    making = f"{path}.{secrets.token_hex(4)}"
    with files.open(making, "wx") as file:
        file.chmod(0o600)  # before there is anything to read
        file.write(content)
    files.posix_rename(making, path)


def make_folder(files: SFTPClient, path: str) -> None:
    """Make a folder with those above it; what is made is the login's own (0700)."""
    for folder in map(str, [*reversed(Path(path).parents), Path(path)]):
        _make(files, folder)


def has(files: SFTPClient, path: str) -> bool:
    """Tell whether a file or folder is there."""
    try:
        files.stat(path)
    except FileNotFoundError:
        return False
    return True


def read(files: SFTPClient, path: str, start: int) -> bytes:
    """Read on in a file from a position, a part at a time; nothing where it is gone or has no more."""
    try:
        with files.open(path, "rb") as file:
            file.seek(start)
            return bytes(file.read(PIECE))
    except FileNotFoundError:
        return b""


def _make(files: SFTPClient, folder: str) -> None:
    if has(files, folder):
        return
    try:
        files.mkdir(folder, 0o700)
    except OSError:
        if not has(files, folder):  # nobody else has made it meanwhile
            raise
