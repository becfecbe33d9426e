"""Which operation of the JSON API a method and a path name."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

from rehearsal.storage.buckets import Buckets
from rehearsal.storage.call import Operation
from rehearsal.storage.copies import Copies
from rehearsal.storage.errors import not_emulated
from rehearsal.storage.folders import Folders
from rehearsal.storage.iam import Policies
from rehearsal.storage.listing import Listing
from rehearsal.storage.objects import Objects


class _Route(NamedTuple):
    methods: tuple[str, ...]
    path: re.Pattern[str]
    operation: Operation


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
        self._routes = [
            _route("GET", "/b", buckets.list),
            _route("POST", "/b", buckets.insert),
            _route("GET", "/b/{bucket}", buckets.get),
            _route("PATCH PUT", "/b/{bucket}", buckets.patch),
            _route("DELETE", "/b/{bucket}", buckets.delete),
            _route("GET", "/b/{bucket}/storageLayout", buckets.layout),
            _route("GET", "/b/{bucket}/iam", policies.get),
            _route("PUT", "/b/{bucket}/iam", policies.set),
            _route("GET", "/b/{bucket}/iam/testPermissions", policies.test),
            _route("GET", "/b/{bucket}/o", listing.page),
            _route("GET", "/b/{bucket}/o/{object}", objects.get),
            _route("PATCH PUT", "/b/{bucket}/o/{object}", objects.patch),
            _route("DELETE", "/b/{bucket}/o/{object}", objects.delete),
            _route("POST", "/b/{bucket}/o/" + destination % "rewriteTo", copies.rewrite),
            _route("POST", "/b/{bucket}/o/" + destination % "copyTo", copies.copy),
            _route("POST", "/b/{bucket}/o/{object}/moveTo/o/{destination_object}", copies.move),
            _route("POST", "/b/{bucket}/o/{object}/compose", copies.compose),
            _route("GET", "/b/{bucket}/folders", folders.list),
            _route("POST", "/b/{bucket}/folders", folders.insert),
            _route("GET", "/b/{bucket}/folders/{folder}", folders.get),
            _route("DELETE", "/b/{bucket}/folders/{folder}", folders.delete),
            _route("GET", "/b/{bucket}/managedFolders", folders.list_managed),
        ]

    def find(self, method: str, raw_path: str) -> tuple[Operation, dict[str, str]]:
        """Name the operation.

        Args:
            raw_path: the path after /storage/v1, still percent-encoded, for names hold slashes.
        Returns:
            the operation and the resource names in the path, decoded.
        Raises:
            StorageError: there is none.
        """
        for route in self._routes:
            found = route.path.fullmatch(raw_path)
            if found and method in route.methods:
                return route.operation, {key: unquote(value) for key, value in found.groupdict().items()}
        raise not_emulated(f"{method} /storage/v1{raw_path}")


def _route(methods: str, template: str, operation: Operation) -> _Route:
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)
    return _Route(tuple(methods.split()), re.compile(pattern), operation)
