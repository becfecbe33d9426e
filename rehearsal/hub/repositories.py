"""The model repositories that the hub has, with the hashes of their files."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import MutableMapping
from pathlib import Path

from rehearsal.content import Content, StoredContent
from rehearsal.documents import Document
from rehearsal.hub import checkpoint
from rehearsal.hub.errors import HubError
from rehearsal.hub.files import Commit, File, Repository, large_file, small_file
from rehearsal.hub.made import MadeRepositories

_MODEL = "openai/gpt-oss-120b"
_GPT_OSS_COMMIT = "b5c939de8f754692c1647ca79fbf85e8c1e70f8a"
"""The model as it was in November 2026, according to a public catalogue of hub hashes."""

_LARGE = (".safetensors", ".bin")
GRANTED_TOKEN = "hf_rehearsal_granted"  # noqa: S105  # it guards generated files; it is no secret
"""The token whose owner has accepted the terms of the gated repository."""


class Repositories:
    """All repositories; the first use makes their files.

    Args:
        home: the folder for the files.
        hashes: the made shards that have been hashed, by their SHA-256.
    """

    def __init__(self, home: Path, hashes: MutableMapping[str, Document]) -> None:
        self._home = home
        self._made = MadeRepositories(hashes)
        self._lock = asyncio.Lock()
        self._stored: dict[str, Repository] = {}

    async def find(self, name: str, authorization: str | None) -> Repository:
        """Find a repository whose metadata the caller may read.

        Args:
            authorization: the request's header.
        Raises:
            HubError: bad credentials, or RepoNotFound: to who brings none it is a 401, as on the hub.
        """
        token = bearer(authorization)
        found = await self._named(name)
        if found is not None:
            return found
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

    async def blob(self, sha256: str) -> Content | None:
        """Find a large file's content by its hash."""
        stored = (await self._all_stored())[_MODEL].branches["main"]
        for file in stored.files.values():
            if file.sha256 == sha256:
                return file.content
        return self._made.blob(sha256)

    async def _named(self, name: str) -> Repository | None:
        stored = await self._all_stored()
        if name in stored:
            return stored[name]
        files = stored[_MODEL].branches["main"].files
        return await self._made.find(name, [file for path, file in files.items() if _beside_weights(path)])

    async def _all_stored(self) -> dict[str, Repository]:
        async with self._lock:
            if not self._stored:
                self._stored = await asyncio.to_thread(_load, self._home)
            return self._stored


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
    commit = Commit.of(_file(folder, path) for path in folder.rglob("*") if path.is_file())
    repositories = (
        Repository(_MODEL, {"main": Commit(_GPT_OSS_COMMIT, commit.files)}),
        Repository("rehearsal/gpt-oss-tiny", {"main": commit}),
        Repository("rehearsal/gpt-oss-gated", {"main": commit}, gated=True),
    )
    return {repository.name: repository for repository in repositories}


def _file(folder: Path, source: Path) -> File:
    path, data = source.relative_to(folder).as_posix(), source.read_bytes()
    content = StoredContent(source, len(data))
    if path.endswith(_LARGE) or path == "tokenizer.json":
        return large_file(path, content, hashlib.sha256(data).hexdigest())
    return small_file(path, content, data)


def _beside_weights(path: str) -> bool:
    return "/" not in path and not path.startswith("model")
