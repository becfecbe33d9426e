"""The hub's API: what a repository is and which files it has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aiohttp import web

from rehearsal.documents import Document
from rehearsal.hub.errors import HubError, answering
from rehearsal.hub.files import Commit, File, Repository
from rehearsal.hub.repositories import Repositories, bearer

_MADE = "2026-11-01T00:00:00.000Z"


class Api:
    """Handlers under /api.

    Args:
        repositories: what is there.
    """

    def __init__(self, repositories: Repositories) -> None:
        self._repositories = repositories

    def add_routes(self, app: web.Application) -> None:
        """Serve them."""
        model = "/api/models/{owner:[^/]+}/{name:[^/]+}"
        app.router.add_get("/api/whoami-v2", answering(self.who_am_i))
        app.router.add_get(model, answering(self.model))
        app.router.add_get(model + "/revision/{revision:[^/]+}", answering(self.model))
        app.router.add_get(model + "/refs", answering(self.refs))
        app.router.add_get(model + "/tree/{revision:[^/]+}", answering(self.tree))
        app.router.add_get(model + "/tree/{revision:[^/]+}/{path:.*}", answering(self.tree))
        app.router.add_post(model + "/paths-info/{revision:[^/]+}", answering(self.paths_info))

    async def who_am_i(self, request: web.Request) -> web.Response:
        """GET /api/whoami-v2."""
        if bearer(request.headers.get("Authorization")) is None:
            raise HubError(401, "", "Invalid username or password.")
        token = {"displayName": "rehearsal", "role": "read"}
        return web.json_response(
            {"type": "user", "name": "rehearsal", "auth": {"type": "access_token", "accessToken": token}}
        )

    async def model(self, request: web.Request) -> web.Response:
        """GET /api/models/{repository}[/revision/{revision}]; ?blobs=true adds sizes and hashes."""
        repository = await self._repository(request)
        commit = _commit(request, repository)
        blobs = request.query.get("blobs", "").lower() in ("1", "true")
        siblings = [_sibling(file, blobs) for file in commit.files.values()]
        return web.json_response(
            {
                "_id": commit.sha[:24],
                "id": repository.name,
                "modelId": repository.name,
                "author": repository.name.partition("/")[0],
                "sha": commit.sha,
                "createdAt": _MADE,
                "lastModified": _MADE,
                "private": False,
                "gated": "manual" if repository.gated else False,
                "disabled": False,
                "downloads": 0,
                "likes": 0,
                "library_name": "transformers",
                "pipeline_tag": "text-generation",
                "tags": ["transformers", "safetensors", "gpt_oss", "license:apache-2.0"],
                "cardData": {"license": "apache-2.0"},
                "siblings": siblings,
                "usedStorage": sum(file.size for file in commit.files.values()),
            }
        )

    async def refs(self, request: web.Request) -> web.Response:
        """GET .../refs."""
        repository = await self._repository(request)
        branches = [
            {"name": branch, "ref": f"refs/heads/{branch}", "targetCommit": commit.sha}
            for branch, commit in repository.branches.items()
        ]
        return web.json_response({"branches": branches, "tags": [], "converts": []})

    async def tree(self, request: web.Request) -> web.Response:
        """GET .../tree/{revision}[/{folder}], with ?recursive=true all that is below."""
        commit = _commit(request, await self._repository(request))
        folder = request.match_info.get("path", "").strip("/")
        prefix = f"{folder}/" if folder else ""
        deep = request.query.get("recursive", "").lower() in ("1", "true")
        entries = [
            entry
            for entry in _entries(commit)
            if entry["path"].startswith(prefix) and (deep or "/" not in entry["path"][len(prefix) :])
        ]
        if prefix and not entries:
            raise HubError(
                404, "EntryNotFound", f"{folder} does not exist on {request.match_info['revision']}"
            )
        return web.json_response(_shown(entries, commit, request.query.get("expand", "")))

    async def paths_info(self, request: web.Request) -> web.Response:
        """POST .../paths-info/{revision}: the entries of those paths that are there."""
        commit = _commit(request, await self._repository(request))
        if request.content_type == "application/json":
            asked: Any = await request.json()
            paths, expand = asked["paths"], str(asked.get("expand", ""))
        else:
            form = await request.post()
            paths, expand = form.getall("paths", []), str(form.get("expand", ""))
        found = [entry for entry in _entries(commit) if entry["path"] in paths]
        return web.json_response(_shown(found, commit, expand))

    async def _repository(self, request: web.Request) -> Repository:
        name = f"{request.match_info['owner']}/{request.match_info['name']}"
        return await self._repositories.find(name, request.headers.get("Authorization"))


def _commit(request: web.Request, repository: Repository) -> Commit:
    return repository.at(request.match_info.get("revision", "main"))


def _sibling(file: File, blobs: bool) -> Document:
    if not blobs:
        return {"rfilename": file.path}
    shown: Document = {"rfilename": file.path, "blobId": file.oid, "size": file.size}
    if file.sha256:
        shown["lfs"] = {"sha256": file.sha256, "size": file.size, "pointerSize": _pointer_size(file)}
    return shown


def _entries(commit: Commit) -> list[Document]:
    folders = sorted({path.rpartition("/")[0] for path in commit.files} - {""})
    entries: list[Document] = [
        {"type": "directory", "oid": commit.sha, "size": 0, "path": folder} for folder in folders
    ]
    for file in commit.files.values():
        entry = {"type": "file", "oid": file.oid, "size": file.size, "path": file.path}
        if file.sha256:
            entry["lfs"] = {"oid": file.sha256, "size": file.size, "pointerSize": _pointer_size(file)}
        entries.append(entry)
    return entries


def _pointer_size(file: File) -> int:
    return 125 + len(str(file.size))


def _shown(entries: Iterable[Document], commit: Commit, expand: str) -> list[Document]:
    if expand.lower() not in ("1", "true"):
        return list(entries)
    last = {"id": commit.sha, "title": "Upload folder", "date": _MADE}
    return [entry | {"lastCommit": last} for entry in entries]
