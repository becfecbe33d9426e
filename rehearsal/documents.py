"""Documents that outlive the process: one SQLite file, one table, JSON values."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

Document = dict[str, Any]


class Database:
    """The stand-in's memory, kept across restarts and kills.

    Args:
        path: the SQLite file; it is made, mode 0600, where it is missing.
    """

    def __init__(self, path: Path) -> None:
        path.touch(mode=0o600, exist_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=OFF")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS documents"
            " (collection TEXT, key TEXT, value TEXT, PRIMARY KEY (collection, key)) WITHOUT ROWID"
        )

    def collection(self, name: str) -> Collection:
        """Open one named set of documents; it is empty until something is put into it."""
        return Collection(self._connection, name)

    def erase(self, prefix: str) -> None:
        """Forget the documents of every collection whose name starts so."""
        self._connection.execute(
            "DELETE FROM documents WHERE substr(collection, 1, ?) = ?", (len(prefix), prefix)
        )

    def close(self) -> None:
        """Write what is pending and let go of the file."""
        self._connection.close()


class Collection(MutableMapping[str, Document]):
    """Documents by key. One that was changed in place is kept only when it is put back."""

    def __init__(self, connection: sqlite3.Connection, name: str) -> None:
        self._connection = connection
        self._name = name

    def __getitem__(self, key: str) -> Document:
        row = self._connection.execute(
            "SELECT value FROM documents WHERE collection = ? AND key = ?", (self._name, key)
        ).fetchone()
        if row is None:
            raise KeyError(key)
        document: Document = json.loads(row[0])
        return document

    def __setitem__(self, key: str, value: Document) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", (self._name, key, json.dumps(value))
        )

    def __delitem__(self, key: str) -> None:
        cursor = self._connection.execute(
            "DELETE FROM documents WHERE collection = ? AND key = ?", (self._name, key)
        )
        if not cursor.rowcount:
            raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        rows = self._connection.execute(
            "SELECT key FROM documents WHERE collection = ? ORDER BY key", (self._name,)
        ).fetchall()
        return (row[0] for row in rows)

    def __len__(self) -> int:
        count: int = self._connection.execute(
            "SELECT count(*) FROM documents WHERE collection = ?", (self._name,)
        ).fetchone()[0]
        return count
