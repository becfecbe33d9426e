"""What a repository holds: its files with their hashes, the commits of its branches."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rehearsal.content import Content
from rehearsal.hub.errors import HubError


@dataclass(frozen=True)
class File:
    """One file of a repository.

    Args:
        path: its path in the repository.
        content: its bytes.
        oid: git's sha1 of the blob; for a large file, of its LFS pointer.
        sha256: of a file in LFS; None for the others.
    """

    path: str
    content: Content
    oid: str
    sha256: str | None = None

    @property
    def size(self) -> int:
        """Tell how many bytes it has."""
        return self.content.size

    @property
    def etag(self) -> str:
        """What the hub gives as the file's ETag."""
        return self.sha256 or self.oid


def large_file(path: str, content: Content, sha256: str) -> File:
    """Put a file into LFS: git has a pointer only."""
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {content.size}\n"
    return File(path, content, _git_oid(pointer.encode()), sha256)


def small_file(path: str, content: Content, data: bytes) -> File:
    """Put a file into git.

    Args:
        data: the content's bytes, for their hash.
    """
    return File(path, content, _git_oid(data))


@dataclass(frozen=True)
class Commit:
    """A repository's files at one moment.

    Args:
        sha: its name, 40 hex digits.
        files: by path, in order.
    """

    sha: str
    files: Mapping[str, File]

    @classmethod
    def of(cls, files: Iterable[File]) -> Commit:
        """Commit some files; the same files give the same name."""
        ordered = {file.path: file for file in sorted(files, key=lambda file: file.path)}
        listing = "".join(f"{file.path} {file.etag}\n" for file in ordered.values())
        return cls(hashlib.sha1(listing.encode(), usedforsecurity=False).hexdigest(), ordered)

    def file(self, path: str) -> File:
        """Find a file.

        Raises:
            HubError: EntryNotFound.
        """
        if path not in self.files:
            raise HubError(404, "EntryNotFound", "Entry not found")
        return self.files[path]


@dataclass(frozen=True)
class Repository:
    """One model repository.

    Args:
        name: owner/name.
        branches: the last commit of each.
        gated: whether its terms must be accepted.
    """

    name: str
    branches: Mapping[str, Commit]
    gated: bool = False

    def at(self, revision: str) -> Commit:
        """Find the commit that a branch, or its own name, stands for.

        Raises:
            HubError: RevisionNotFound.
        """
        for branch, commit in self.branches.items():
            if revision in (branch, f"refs/heads/{branch}", commit.sha):
                return commit
        raise HubError(404, "RevisionNotFound", f"Invalid rev id: {revision}")


def _git_oid(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
