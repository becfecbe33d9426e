"""Objects: the JSON API's `objects` resource, without the bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from rehearsal.documents import Document
from rehearsal.storage.blobs import Blobs
from rehearsal.storage.call import Call, Reply
from rehearsal.storage.catalogue import Catalogue, etag, now
from rehearsal.storage.drafts import Content
from rehearsal.storage.errors import StorageError
from rehearsal.storage.fields import select
from rehearsal.storage.folders import keep_parents
from rehearsal.storage.preconditions import check

_SETTABLE = (
    "cacheControl",
    "contentDisposition",
    "contentEncoding",
    "contentLanguage",
    "contentType",
    "customTime",
    "metadata",
    "storageClass",
)


class Objects:
    """Make, read, change and delete objects.

    Args:
        catalogue: where their metadata is kept.
        blobs: where their bytes are kept.
    """

    def __init__(self, catalogue: Catalogue, blobs: Blobs) -> None:
        self._catalogue = catalogue
        self._blobs = blobs

    def admit(self, bucket: str, name: str | None, query: Mapping[str, str]) -> str:
        """Refuse at once what could not be stored at the end: no such bucket, a bad name, a failed condition.

        Returns:
            the object's name.
        """
        found = self._catalogue.bucket(bucket)
        if not name:
            raise StorageError(400, "required", "Required parameter: name", "name")
        _validate_name(name)
        uniform = found["iamConfiguration"]["uniformBucketLevelAccess"]["enabled"]
        if uniform and ("predefinedAcl" in query or "destinationPredefinedAcl" in query):
            message = (
                "Cannot insert legacy ACL for an object when uniform bucket-level access is enabled."
                " Read more at https://cloud.google.com/storage/docs/uniform-bucket-level-access"
            )
            raise StorageError(400, "invalid", message)
        check(self._catalogue.objects(bucket).get(name), query)
        return name

    def commit(
        self,
        bucket: str,
        name: str,
        attributes: Mapping[str, Any],
        content: Content,
        query: Mapping[str, str],
        *,
        component_count: int | None = None,
    ) -> Document:
        """Put a complete object in place of what was there: first the file, then the row that shows it.

        Args:
            attributes: what the client set: contentType, metadata...
            content: its finished bytes, still among the drafts; refused, they are removed.
            query: holds the conditions; they are checked again.
            component_count: of how many uploads a composite object is made.
        """
        try:
            self.admit(bucket, name, query)
        except StorageError:
            self._blobs.discard_draft(content.blob)
            raise
        self._blobs.keep(content)
        created = now()
        row = {"storageClass": self._catalogue.bucket(bucket)["storageClass"]} | _settings(attributes)
        row |= {
            "name": name,
            "generation": self._catalogue.next_generation(),
            "metageneration": "1",
            "size": str(content.size),
            "crc32c": content.crc32c,
            "blob": content.blob,
        }
        row |= dict.fromkeys(("timeCreated", "updated", "timeStorageClassUpdated", "timeFinalized"), created)
        if content.md5:
            row["md5Hash"] = content.md5
        if component_count:
            row["componentCount"] = component_count
        replaced = self._catalogue.objects(bucket).get(name)
        self._catalogue.objects(bucket)[name] = row
        keep_parents(self._catalogue, bucket, name)
        if replaced:
            self._blobs.discard(replaced["blob"])
        return row

    async def get(self, call: Call) -> Reply:
        """storage.objects.get, the metadata."""
        row = self.find(call)
        check(row, call.query, reading=True)
        return self.answer(call, row)

    async def patch(self, call: Call) -> Reply:
        """storage.objects.patch and update: null takes a value away, metadata is merged key by key."""
        row = self.find(call)
        check(row, call.query)
        if call.body.get("metadata"):
            merged = row.get("metadata", {}) | call.body["metadata"]
            kept = {key: value for key, value in merged.items() if value is not None}
            call.body["metadata"] = kept
        wanted = {key: call.body[key] for key in _SETTABLE if key in call.body}
        row = {key: value for key, value in (row | wanted).items() if value is not None}
        row |= {"metageneration": str(int(row["metageneration"]) + 1), "updated": now()}
        self._catalogue.objects(call.names["bucket"])[row["name"]] = row
        return self.answer(call, row)

    async def delete(self, call: Call) -> Reply:
        """storage.objects.delete."""
        row = self.find(call)
        check(row, call.query)
        self.remove(call.names["bucket"], row)
        return Reply(status=204)

    def find(self, call: Call) -> Document:
        """Read the row of the object that the call names, of the generation it asks for."""
        return self._catalogue.object(
            call.names["bucket"], call.names["object"], call.query.get("generation")
        )

    def remove(self, bucket: str, row: Mapping[str, Any]) -> None:
        """Take an object away, then its bytes."""
        del self._catalogue.objects(bucket)[row["name"]]
        self._blobs.discard(row["blob"])

    def answer(self, call: Call, row: Mapping[str, Any]) -> Reply:
        """Show an object, only the fields that were asked for."""
        shown = resource(call.names["bucket"], row, call.origin)
        return Reply(select(shown, call.query.get("fields")))


def resource(bucket: str, row: Mapping[str, Any], origin: str) -> Document:
    """Show an object as the API does."""
    shown = {key: value for key, value in row.items() if key != "blob"}
    path = f"storage/v1/b/{bucket}/o/{quote(row['name'], safe='')}"
    return {
        "kind": "storage#object",
        "id": f"{bucket}/{row['name']}/{row['generation']}",
        "selfLink": f"{origin}/{path}",
        "mediaLink": f"{origin}/download/{path}?generation={row['generation']}&alt=media",
        "bucket": bucket,
        "etag": etag(int(row["generation"]), int(row["metageneration"])),
        **shown,
    }


def _settings(attributes: Mapping[str, Any]) -> Document:
    return {key: attributes[key] for key in _SETTABLE if attributes.get(key) is not None}


def _validate_name(name: str) -> None:
    if len(name.encode()) > 1024:
        raise StorageError(
            400,
            "invalid",
            "The maximum object length is 1024 characters, but got a name with"
            f" {len(name.encode())} characters: '{name[:40]}...'",
        )
    if "\n" in name or "\r" in name or name in (".", "..") or name.startswith(".well-known/acme-challenge/"):
        raise StorageError(400, "invalid", f"Invalid object name: '{name}'")
