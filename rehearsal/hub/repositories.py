"""The model repositories that the hub has, with the hashes of their files."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rehearsal.hub import checkpoint
from rehearsal.hub.errors import HubError

_GPT_OSS_COMMIT = "b5c939de8f754692c1647ca79fbf85e8c1e70f8a"
"""openai/gpt-oss-120b as it was in November 2026, according to a public catalogue of hub hashes."""

_LARGE = (".safetensors", ".bin")
GRANTED_TOKEN = "hf_rehearsal_granted"  # noqa: S105  # it guards generated files; it is no secret
"""The token whose owner has accepted the terms of the gated repository."""


@dataclass(frozen=True)
class File:
    """One file of a repository.

    Args:
        path: its path in the repository.
        source: where its bytes are.
        size: in bytes.
        oid: git's sha1 of the blob; for a large file, of its LFS pointer.
        sha256: of a file in LFS; None for the others.
    """

    path: str
    source: Path
    size: int
    oid: str
    sha256: str | None

    @property
    def etag(self) -> str:
        """What the hub gives as the file's ETag."""
        return self.sha256 or self.oid


@dataclass(frozen=True)
class Repository:
    """One model repository at its one commit.

    Args:
        name: owner/name.
        gated: whether its terms must be accepted.
        files: by path, in order.
    """

    name: str
    commit: str
    gated: bool
    files: Mapping[str, File]

    def check_revision(self, revision: str) -> None:
        """Refuse what is neither the branch main nor the commit.

        Raises:
            HubError: RevisionNotFound.
        """
        if revision not in ("main", "refs/heads/main", self.commit):
            raise HubError(404, "RevisionNotFound", f"Invalid rev id: {revision}")

    def file(self, path: str) -> File:
        """Find a file.

        Raises:
            HubError: EntryNotFound.
        """
        if path not in self.files:
            raise HubError(404, "EntryNotFound", "Entry not found")
        return self.files[path]


class Repositories:
    """All repositories; the first use makes their files.

    Args:
        home: the folder for the files.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._lock = asyncio.Lock()
        self._known: dict[str, Repository] = {}

    async def find(self, name: str, authorization: str | None) -> Repository:
        """Find a repository whose metadata the caller may read.

        Args:
            authorization: the request's header.
        Raises:
            HubError: bad credentials, or RepoNotFound: to who brings none it is a 401, as on the hub.
        """
        token = bearer(authorization)
        known = await self._all()
        if name in known:
            return known[name]
        if token is None:
            raise HubError(401, "RepoNotFound", "Invalid username or password.")
        raise HubError(404, "RepoNotFound", "Repository not found")

    async def open(self, name: str, authorization: str | None) -> Repository:
        """Find a repository whose files the caller may read.

        Raises:
            HubError: as for `find`, or GatedRepo.
        """
        repository = await self.find(name, authorization)
        token = bearer(authorization)
        if not repository.gated or token == GRANTED_TOKEN:
            return repository
        if token is None:
            message = f"Access to model {name} is restricted. You must have access to it and be authenticated"
            raise HubError(401, "GatedRepo", f"{message} to access it. Please log in.")
        message = f"Access to model {name} is restricted and you are not in the authorized list."
        raise HubError(403, "GatedRepo", f"{message} Visit the model's page to ask for access.")

    async def blob(self, sha256: str) -> File | None:
        """Find a large file by its hash."""
        known = await self._all()
        every = (file for repository in known.values() for file in repository.files.values())
        return next((file for file in every if file.sha256 == sha256), None)

    async def _all(self) -> dict[str, Repository]:
        async with self._lock:
            if not self._known:
                self._known = await asyncio.to_thread(_load, self._home)
            return self._known


def bearer(authorization: str | None) -> str | None:
    """Read the token of a request.

    Raises:
        HubError: 401 where it cannot be one of the hub's.
    """
    if not authorization:
        return None
    token = authorization.removeprefix("Bearer ")
    if not token.startswith("hf_"):
        raise HubError(401, "", "Invalid credentials in Authorization header")
    return token


def _load(home: Path) -> dict[str, Repository]:
    folder = checkpoint.build(home)
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = {file.path: file for file in (_file(folder, path) for path in paths)}
    listing = "".join(f"{file.path} {file.etag}\n" for file in files.values())
    commit = hashlib.sha1(listing.encode(), usedforsecurity=False).hexdigest()
    repositories = (
        Repository("openai/gpt-oss-120b", _GPT_OSS_COMMIT, False, files),
        Repository("rehearsal/gpt-oss-tiny", commit, False, files),
        Repository("rehearsal/gpt-oss-gated", commit, True, files),
    )
    return {repository.name: repository for repository in repositories}


def _file(folder: Path, source: Path) -> File:
    path, content = source.relative_to(folder).as_posix(), source.read_bytes()
    if not path.endswith(_LARGE) and path != "tokenizer.json":
        return File(path, source, len(content), _git_oid(content), None)
    sha256 = hashlib.sha256(content).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {len(content)}\n"
    return File(path, source, len(content), _git_oid(pointer.encode()), sha256)


def _git_oid(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
