"""How far each file is, kept on disk so that a transfer goes on after anything that ends the process.

A line holds a session's address, which is a credential, so the file is its owner's alone (0600). A line that
was cut, or mangled by a loss of power, is passed over: its file then goes on from an earlier line. Losing the
whole journal costs time and nothing else.
"""

from __future__ import annotations

import errno
import json
import os
import threading
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from runbook.transfer.files import Delivery

COMPACT_BYTES = 4 << 20
"""A journal of this size is written anew with the last line of each file alone."""


@dataclass(frozen=True)
class Checkpoint:
    """How far one file is.

    Args:
        session: address of its upload.
        checksums: as `Checksums.state` gave them; None where the hash cannot be kept.
    """

    session: str
    checksums: Mapping[str, Any] | None


class Journal:
    """The checkpoints of the files that are on their way.

    Args:
        path: of the file; its folder is made.
        bucket: that the objects are in.
        warn: told once where nothing can be written, such as on a full disk.
    """

    def __init__(self, path: Path, bucket: str, warn: Callable[[str], None]) -> None:
        self._path = path
        self._bucket = bucket
        self._warn = warn
        self._lock = threading.Lock()
        self._file: int | None = None
        self._written = 0
        self._broken = False
        self._lines = self._read()

    def checkpoint(self, delivery: Delivery) -> Checkpoint | None:
        """Find how far a file is; None where nothing is known of it, or it is about other bytes."""
        kept = self._lines.get(self._key(delivery))
        return Checkpoint(kept["session"], kept["checksums"]) if kept else None

    def keep(self, delivery: Delivery, checkpoint: Checkpoint) -> None:
        """Keep how far a file is."""
        self._put(self._key(delivery), asdict(checkpoint))

    def forget(self, delivery: Delivery) -> None:
        """Forget a file: it has arrived, or begins anew."""
        self._put(self._key(delivery), None)

    def close(self) -> None:
        """Close it; one that knows of no file any more is removed."""
        with self._lock:
            if self._file is not None:
                os.close(self._file)
                self._file = None
            if not self._lines and not self._broken:
                self._path.unlink(missing_ok=True)

    def _key(self, delivery: Delivery) -> str:
        """Name what is on its way: these bytes, to become this object in place of that generation."""
        address, file = f"gs://{self._bucket}/{delivery.name}", delivery.file
        return f"{address}#{delivery.generation} {file.size} {file.digest}"

    def _put(self, key: str, value: Mapping[str, Any] | None) -> None:
        with self._lock:
            if value is None:
                self._lines.pop(key, None)
            else:
                self._lines[key] = value
            if self._broken:
                return
            try:
                self._write(_line(key, value))
            except OSError as error:
                self._give_up(error)

    def _read(self) -> dict[str, Mapping[str, Any]]:
        try:
            return _entries(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except OSError as error:
            self._give_up(error)
            return {}

    def _give_up(self, error: OSError) -> None:
        """Go on without a journal; an old one would tell of what is over."""
        self._broken = True
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
        self._warn(
            f"{self._path}: {error.strerror or error}; the transfer goes on, but one that is"
            " interrupted will begin its unfinished files anew"
        )

    def _write(self, line: bytes) -> None:
        if self._file is None or self._written > COMPACT_BYTES:
            self._compact()
        assert self._file is not None  # noqa: S101 - for the type checker
        os.write(self._file, line)
        self._written += len(line)

    def _compact(self) -> None:
        """Write the last line of each file into a new journal, which takes the old one's place at once."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self._path.with_name(f"{self._path.name}.new")
        file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        try:
            content = b"".join(_line(key, value) for key, value in self._lines.items())
            if os.write(file, content) < len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            fresh.replace(self._path)
        except OSError:
            os.close(file)
            fresh.unlink(missing_ok=True)
            raise
        if self._file is not None:
            os.close(self._file)
        self._file, self._written = file, 0


def _line(key: str, value: Mapping[str, Any] | None) -> bytes:
    text = json.dumps([key, value])
    return f"{zlib.crc32(text.encode()):08x} {text}\n".encode()


def _entries(content: bytes) -> dict[str, Mapping[str, Any]]:
    """Give the last line of each file that is on its way; lines that are not whole are passed over."""
    found: dict[str, Mapping[str, Any]] = {}
    for line in content.splitlines():
        checksum, _, text = line.partition(b" ")
        if checksum != b"%08x" % zlib.crc32(text):
            continue
        key, value = json.loads(text)
        found.pop(key, None) if value is None else found.update({key: value})
    return found
