"""Which operation of the JSON API a method and a path name, and which permissions it needs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote

from rehearsal.storage.access import Demand
from rehearsal.storage.buckets import Buckets
from rehearsal.storage.call import Operation
from rehearsal.storage.copies import Copies
from rehearsal.storage.errors import not_emulated
from rehearsal.storage.folders import Folders
from rehearsal.storage.iam import Policies
from rehearsal.storage.listing import Listing
from rehearsal.storage.objects import Objects

_DESTINATION = "destination_bucket"


class Found(NamedTuple):
    """An operation that a request asks for.

    Args:
        names: the resource names in the path, decoded.
        demands: the permissions that it needs.
    """

    operation: Operation
    names: dict[str, str]
    demands: list[Demand]


class _Need(NamedTuple):
    """A permission, and which names of the path are its bucket and the object that is made."""

    permission: str
    bucket: str = ""
    created: str = ""

    def in_names(self, names: Mapping[str, str]) -> Demand:
        return Demand(self.permission, names.get(self.bucket, ""), names.get(self.created, ""))


class _Route(NamedTuple):
    methods: tuple[str, ...]
    path: re.Pattern[str]
    operation: Operation
    needs: tuple[_Need, ...]


class Operations:
    """The table of operations under /storage/v1.

    Args:
        buckets, policies, objects, listing, copies, folders: the resources that carry them out.
    """

    def __init__(
        self,
        *,
        buckets: Buckets,
        policies: Policies,
        objects: Objects,
        listing: Listing,
        copies: Copies,
        folders: Folders,
    ) -> None:
        destination = "{object}/%s/b/{destination_bucket}/o/{destination_object}"
        copied = (_need("objects.get"), _Need("storage.objects.create", _DESTINATION, "destination_object"))
        composed = (_need("objects.get"), _Need("storage.objects.create", "bucket", "object"))
        moved = (_need("objects.move"), _Need("storage.objects.create", "bucket", "destination_object"))
        self._routes = [
            _route("GET", "/b", buckets.list, _of_project("buckets.list")),
            _route("POST", "/b", buckets.insert, _of_project("buckets.create")),
            _route("GET", "/b/{bucket}", buckets.get, _need("buckets.get")),
            _route("PATCH PUT", "/b/{bucket}", buckets.patch, _need("buckets.update")),
            _route("DELETE", "/b/{bucket}", buckets.delete, _need("buckets.delete")),
            _route("GET", "/b/{bucket}/storageLayout", buckets.layout, _need("objects.list")),
            _route("GET", "/b/{bucket}/iam", policies.get, _need("buckets.getIamPolicy")),
            _route("PUT", "/b/{bucket}/iam", policies.set, _need("buckets.setIamPolicy")),
            _route("GET", "/b/{bucket}/iam/testPermissions", policies.test),
            _route("GET", "/b/{bucket}/o", listing.page, _need("objects.list")),
            _route("GET", "/b/{bucket}/o/{object}", objects.get, _need("objects.get")),
            _route("PATCH PUT", "/b/{bucket}/o/{object}", objects.patch, _need("objects.update")),
            _route("DELETE", "/b/{bucket}/o/{object}", objects.delete, _need("objects.delete")),
            _route("POST", "/b/{bucket}/o/" + destination % "rewriteTo", copies.rewrite, *copied),
            _route("POST", "/b/{bucket}/o/" + destination % "copyTo", copies.copy, *copied),
            _route("POST", "/b/{bucket}/o/{object}/moveTo/o/{destination_object}", copies.move, *moved),
            _route("POST", "/b/{bucket}/o/{object}/compose", copies.compose, *composed),
            _route("GET", "/b/{bucket}/folders", folders.list, _need("folders.list")),
            _route("POST", "/b/{bucket}/folders", folders.insert, _need("folders.create")),
            _route("GET", "/b/{bucket}/folders/{folder}", folders.get, _need("folders.get")),
            _route("DELETE", "/b/{bucket}/folders/{folder}", folders.delete, _need("folders.delete")),
            _route("GET", "/b/{bucket}/managedFolders", folders.list_managed, _need("managedFolders.list")),
        ]

    def find(self, method: str, raw_path: str) -> Found:
        """Name the operation.

        Args:
            raw_path: the path after /storage/v1, still percent-encoded, for names hold slashes.

        Raises:
            StorageError: there is none.
        """
        for route in self._routes:
            match = route.path.fullmatch(raw_path)
            if match and method in route.methods:
                names = {key: unquote(value) for key, value in match.groupdict().items()}
                return Found(route.operation, names, [need.in_names(names) for need in route.needs])
        raise not_emulated(f"{method} /storage/v1{raw_path}")


def _need(permission: str) -> _Need:
    return _Need(f"storage.{permission}", "bucket")


def _of_project(permission: str) -> _Need:
    return _Need(f"storage.{permission}")


def _route(methods: str, template: str, operation: Operation, *needs: _Need) -> _Route:
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)
    return _Route(tuple(methods.split()), re.compile(pattern), operation, needs)
