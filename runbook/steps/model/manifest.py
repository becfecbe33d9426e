"""The manifest: an object beside the model that says what the model's objects must be. It is written last."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

NAME = ".runbook-manifest.json"
FINGERPRINT = "runbook-manifest"
"""Metadata key of the manifest object's own fingerprint, so that a listing is enough to compare."""


@dataclass(frozen=True)
class Entry:
    """One object of the model.

    Args:
        path: inside the folder, as in the hub's repository.
        size: in bytes.
        digest: the hub's hash of the content.
        crc32c: base64, as Cloud Storage computes it.
    """

    path: str
    size: int
    digest: str
    crc32c: str


@dataclass(frozen=True)
class Manifest:
    """A model at one commit, as it lies in a folder.

    Args:
        repository: on the hub.
        commit: of the repository.
        entries: its objects.
    """

    repository: str
    commit: str
    entries: Sequence[Entry]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of everything in it."""
        return hashlib.sha256(self.text().encode()).hexdigest()

    def text(self) -> str:
        """Write it as JSON, entries by path."""
        entries = sorted(self.entries, key=lambda entry: entry.path)
        document = {
            "repository": self.repository,
            "commit": self.commit,
            "files": [vars(entry) for entry in entries],
        }
        return json.dumps(document, indent=1) + "\n"


def checksums(content: bytes) -> Mapping[str, Entry]:
    """Read the entries of a manifest object by path; none where it cannot be read.

    Args:
        content: the object's bytes, which anybody may have written.
    """
    try:
        return {entry["path"]: Entry(**entry) for entry in json.loads(content)["files"]}
    except (ValueError, KeyError, TypeError):
        return {}
