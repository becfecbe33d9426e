"""Folders of buckets with hierarchical namespace: the JSON API's `folders` resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from rehearsal.documents import Document
from rehearsal.storage.call import Call, Reply
from rehearsal.storage.catalogue import Catalogue, now
from rehearsal.storage.errors import StorageError
from rehearsal.storage.fields import select
from rehearsal.storage.preconditions import check


class Folders:
    """Create, read, list and delete folders.

    Args:
        catalogue: where they are kept.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    async def insert(self, call: Call) -> Reply:
        """storage.folders.insert: with recursive=true the folders above it are made too."""
        bucket, name = self._hierarchical(call), _closed(call.body.get("name", ""))
        folders = self._catalogue.folders(bucket)
        if name in folders:
            raise StorageError(409, "conflict", "The folder you tried to create already exists.")
        missing = [parent for parent in _parents(name) if parent not in folders]
        if missing and not call.flag("recursive"):
            raise StorageError(404, "notFound", f"The parent folder {missing[-1]} does not exist.")
        keep_parents(self._catalogue, bucket, name)
        return Reply(_resource(bucket, folders[name], call.origin))

    async def get(self, call: Call) -> Reply:
        """storage.folders.get."""
        return Reply(_resource(call.names["bucket"], self._find(call), call.origin))

    async def list(self, call: Call) -> Reply:
        """storage.folders.list: all of them in one page, or those directly under a prefix."""
        bucket = self._hierarchical(call)
        prefix, direct = call.query.get("prefix", ""), "delimiter" in call.query
        items = [
            _resource(bucket, row, call.origin)
            for name, row in self._catalogue.folders(bucket).items()
            if name.startswith(prefix) and not (direct and "/" in name[len(prefix) :].rstrip("/"))
        ]
        page: Document = {"kind": "storage#folders"}
        return Reply(select(page | ({"items": items} if items else {}), call.query.get("fields")))

    async def delete(self, call: Call) -> Reply:
        """storage.folders.delete: only an empty folder goes."""
        row, bucket = self._find(call), call.names["bucket"]
        check(row, call.query)
        name = row["name"]
        inside = [*self._catalogue.folders(bucket), *self._catalogue.objects(bucket)]
        if any(other.startswith(name) and other != name for other in inside):
            raise StorageError(409, "conflict", "The folder you tried to delete is not empty.")
        del self._catalogue.folders(bucket)[name]
        return Reply(status=204)

    async def list_managed(self, call: Call) -> Reply:
        """storage.managedFolders.list: there are none, for nothing here can make one."""
        self._catalogue.bucket(call.names["bucket"])
        return Reply({"kind": "storage#managedFolders"})

    def _find(self, call: Call) -> Document:
        bucket, name = self._hierarchical(call), _closed(call.names["folder"])
        if name not in self._catalogue.folders(bucket):
            raise StorageError(404, "notFound", "The specified folder does not exist.")
        return self._catalogue.folders(bucket)[name]

    def _hierarchical(self, call: Call) -> str:
        bucket = self._catalogue.bucket(call.names["bucket"])
        if "hierarchicalNamespace" not in bucket:
            message = "The bucket does not support hierarchical namespace."
            raise StorageError(409, "conflict", message)
        name: str = bucket["name"]
        return name


def keep_parents(catalogue: Catalogue, bucket: str, name: str) -> None:
    """Make the folders on the way to a name that are not there yet; a flat bucket has none."""
    if "hierarchicalNamespace" not in catalogue.bucket(bucket):
        return
    folders = catalogue.folders(bucket)
    for parent in [*_parents(name), *([name] if name.endswith("/") else [])]:
        if parent not in folders:
            created = now()
            folders[parent] = {
                "name": parent,
                "metageneration": "1",
                "createTime": created,
                "updateTime": created,
            }


def _parents(name: str) -> list[str]:
    parts = name.rstrip("/").split("/")[:-1]
    return ["/".join(parts[: depth + 1]) + "/" for depth in range(len(parts))]


def _closed(name: str) -> str:
    if not name.strip("/"):
        raise StorageError(400, "required", "Required parameter: name", "name")
    return name.rstrip("/") + "/"


def _resource(bucket: str, row: Mapping[str, Any], origin: str) -> Document:
    return {
        "kind": "storage#folder",
        "id": f"{bucket}/{row['name']}",
        "selfLink": f"{origin}/storage/v1/b/{bucket}/folders/{quote(row['name'], safe='')}",
        "bucket": bucket,
        **row,
    }
