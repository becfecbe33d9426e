"""Documents of the bucket are copied whole, whoever else compares at the same time."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from runbook.clients.storage import StoredObject
from runbook.engine.errors import UserError
from runbook.steps.bench.sharing import fetch


@dataclass(frozen=True)
class Bucket:
    """A bucket's documents.

    Args:
        held: by name.
    """

    held: dict[str, bytes]

    def objects(self, bucket: str, folder: str) -> list[StoredObject]:
        """List them."""
        return [StoredObject(name, len(data), "", 1) for name, data in self.held.items()]

    def read(self, bucket: str, name: str) -> bytes:
        """Read one."""
        return self.held[name]


@pytest.fixture
def bucket():
    return Bucket({"benchmarks/20261120-100000-aaaa.json": b'{"schema": 2}'})


def test_two_that_compare_at_once_do_not_take_each_others_files(bucket, tmp_path, monkeypatch):
    replace = Path.replace

    def after_the_other(path, target):
        monkeypatch.setattr(Path, "replace", replace)
        with monkeypatch.context() as another_process:
            another_process.setattr(os, "getpid", lambda: 0)
            fetch(bucket, "shared", tmp_path)
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", after_the_other)
    fetch(bucket, "shared", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["20261120-100000-aaaa.json"]
    assert next(tmp_path.iterdir()).read_bytes() == b'{"schema": 2}'


def test_a_folder_that_cannot_be_written_is_told(bucket, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        fetch(bucket, "shared", tmp_path / "file")
