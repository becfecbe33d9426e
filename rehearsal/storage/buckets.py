"""Buckets: the JSON API's `buckets` resource."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rehearsal.documents import Document
from rehearsal.projects import project_number
from rehearsal.storage import iam
from rehearsal.storage.call import Call, Reply
from rehearsal.storage.catalogue import Catalogue, etag, now
from rehearsal.storage.errors import StorageError, not_emulated
from rehearsal.storage.fields import select
from rehearsal.storage.preconditions import check

_MULTI_REGIONS = ("US", "EU", "ASIA")
_DUAL_REGIONS = ("NAM4", "EUR4", "EUR5", "EUR7", "EUR8", "ASIA1")
_REGION = re.compile(r"[A-Z]+(-[A-Z]+)+\d+")
_CLASSES = ("STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE", "RAPID")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_KEPT_AS_GIVEN = ("labels", "lifecycle", "cors", "autoclass", "rpo")
_UNEMULATED = ("retentionPolicy", "encryption", "logging", "website", "ipFilter", "customPlacementConfig")
_WEEK = "604800"


class Buckets:
    """Create, read, change and delete buckets.

    Args:
        catalogue: where they are kept.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    async def insert(self, call: Call) -> Reply:
        """storage.buckets.insert."""
        project = call.query.get("project")
        if not project:
            raise StorageError(400, "required", "Required parameter: project", "project")
        name = call.body.get("name", "")
        _validate_name(name)
        owner = self._catalogue.buckets.get(name, {}).get("project")
        if owner is not None:
            raise _taken(by_caller=owner == project)
        bucket = self._settled(_new_bucket(name, project), call.body, creating=True)
        self._catalogue.buckets[name] = bucket
        self._catalogue.policies[name] = iam.initial_policy(project, _uniform(bucket))
        return self._answer(call, bucket)

    async def get(self, call: Call) -> Reply:
        """storage.buckets.get."""
        bucket = self._catalogue.bucket(call.names["bucket"])
        check(bucket, call.query, reading=True)
        return self._answer(call, bucket)

    async def list(self, call: Call) -> Reply:
        """storage.buckets.list: those of one project, by name."""
        project = call.query.get("project")
        if not project:
            raise StorageError(400, "required", "Required parameter: project", "project")
        after, prefix = call.query.get("pageToken", ""), call.query.get("prefix", "")
        found = [
            bucket
            for name, bucket in self._catalogue.buckets.items()
            if bucket["project"] == project and name.startswith(prefix) and name > after
        ]
        limit = call.number("maxResults", 1000)
        page: Document = {"kind": "storage#buckets"}
        if found:
            page["items"] = [resource(bucket, call.origin) for bucket in found[:limit]]
        if len(found) > limit:
            page["nextPageToken"] = found[limit - 1]["name"]
        return Reply(select(page, call.query.get("fields")))

    async def patch(self, call: Call) -> Reply:
        """storage.buckets.patch and update: what is named is changed, null takes it away."""
        bucket = self._catalogue.bucket(call.names["bucket"])
        check(bucket, call.query)
        bucket = self._settled(bucket, call.body, creating=False)
        bucket |= {"metageneration": str(int(bucket["metageneration"]) + 1), "updated": now()}
        self._catalogue.buckets[bucket["name"]] = bucket
        return self._answer(call, bucket)

    async def delete(self, call: Call) -> Reply:
        """storage.buckets.delete: only an empty bucket goes."""
        bucket = self._catalogue.bucket(call.names["bucket"])
        check(bucket, call.query)
        name = bucket["name"]
        if self._catalogue.objects(name) or self._catalogue.folders(name):
            raise StorageError(409, "conflict", "The bucket you tried to delete is not empty.")
        del self._catalogue.buckets[name]
        del self._catalogue.policies[name]
        return Reply(status=204)

    async def layout(self, call: Call) -> Reply:
        """storage.buckets.getStorageLayout: what gcloud asks before it copies or removes."""
        bucket = self._catalogue.bucket(call.names["bucket"])
        answer: Document = {"kind": "storage#storageLayout", "bucket": bucket["name"]}
        answer |= {key: bucket[key] for key in ("location", "locationType")}
        answer["hierarchicalNamespace"] = bucket.get("hierarchicalNamespace", {"enabled": False})
        return Reply(answer)

    def _answer(self, call: Call, bucket: Mapping[str, Any]) -> Reply:
        return Reply(select(resource(bucket, call.origin), call.query.get("fields")))

    def _settled(self, bucket: Document, wanted: Document, *, creating: bool) -> Document:
        for key in _UNEMULATED:
            if wanted.get(key):
                raise not_emulated(f"the bucket setting {key}")
        if (wanted.get("versioning") or {}).get("enabled"):
            raise not_emulated("object versioning")
        bucket = dict(bucket)
        for key in _KEPT_AS_GIVEN:
            if key in wanted:
                bucket[key] = wanted[key]
        if creating:
            bucket |= _location(wanted.get("location") or "US")
        if wanted.get("storageClass"):
            bucket["storageClass"] = _storage_class(wanted["storageClass"])
        if wanted.get("softDeletePolicy"):
            bucket["softDeletePolicy"] = _soft_delete(wanted["softDeletePolicy"])
        if wanted.get("iamConfiguration"):
            bucket["iamConfiguration"] = _access(bucket["iamConfiguration"], wanted["iamConfiguration"])
        _set_namespace(bucket, wanted, creating)
        return {key: value for key, value in bucket.items() if value is not None}


def resource(bucket: Mapping[str, Any], origin: str) -> Document:
    """Show a bucket as the API does."""
    shown = {key: value for key, value in bucket.items() if key != "project"}
    return {
        "kind": "storage#bucket",
        "selfLink": f"{origin}/storage/v1/b/{bucket['name']}",
        "id": bucket["name"],
        "etag": etag(int(bucket["metageneration"])),
        **shown,
    }


def _new_bucket(name: str, project: str) -> Document:
    created = now()
    return {
        "name": name,
        "project": project,
        "projectNumber": project_number(project),
        "metageneration": "1",
        "timeCreated": created,
        "updated": created,
        "storageClass": "STANDARD",
        "softDeletePolicy": _soft_delete({"retentionDurationSeconds": _WEEK}),
        "iamConfiguration": _access({}, {}),
    }


def _validate_name(name: str) -> None:
    dotted = "." in name
    if (
        not _NAME.fullmatch(name)
        or (len(name) > 63 and not dotted)
        or any(not 0 < len(part) <= 63 for part in name.split("."))
        or re.fullmatch(r"\d+(\.\d+){3}", name)
        or name.startswith("goog")
        or "google" in name
    ):
        raise StorageError(400, "invalid", f"Invalid bucket name: '{name}'")


def _taken(*, by_caller: bool) -> StorageError:
    if by_caller:
        message = "Your previous request to create the named bucket succeeded and you already own it."
    else:
        message = (
            "The requested bucket name is not available. The bucket namespace is shared by all users of the"
            " system. Please select a different name and try again."
        )
    return StorageError(409, "conflict", message)


def _location(location: str) -> Document:
    location = location.upper()
    if location in _MULTI_REGIONS:
        return {"location": location, "locationType": "multi-region", "rpo": "DEFAULT"}
    if location in _DUAL_REGIONS:
        return {"location": location, "locationType": "dual-region", "rpo": "DEFAULT"}
    if _REGION.fullmatch(location):
        return {"location": location, "locationType": "region"}
    raise StorageError(400, "invalid", "The specified location constraint is not valid.")


def _storage_class(storage_class: str) -> str:
    if storage_class.upper() not in _CLASSES:
        raise StorageError(400, "invalid", f"Invalid storage class: {storage_class}")
    return storage_class.upper()


def _soft_delete(policy: Mapping[str, Any]) -> Document:
    seconds = int(policy.get("retentionDurationSeconds", _WEEK))
    if seconds and not 7 * 86400 <= seconds <= 90 * 86400:
        message = "Soft delete policy retention duration must be 0, or between 7 days and 90 days."
        raise StorageError(400, "invalid", message)
    return {"retentionDurationSeconds": str(seconds), "effectiveTime": now()}


def _access(current: Mapping[str, Any], wanted: Mapping[str, Any]) -> Document:
    uniform = wanted.get("uniformBucketLevelAccess") or wanted.get("bucketPolicyOnly") or {}
    state = current.get("uniformBucketLevelAccess", {"enabled": False})
    if "enabled" in uniform:
        state = {"enabled": bool(uniform["enabled"])}
        if state["enabled"]:
            state["lockedTime"] = now()
    prevention = wanted.get("publicAccessPrevention") or current.get("publicAccessPrevention", "inherited")
    prevention = "inherited" if prevention == "unspecified" else prevention
    if prevention not in ("inherited", "enforced"):
        raise StorageError(400, "invalid", f"Invalid value for publicAccessPrevention: {prevention}")
    return {
        "bucketPolicyOnly": state,
        "uniformBucketLevelAccess": state,
        "publicAccessPrevention": prevention,
    }


def _uniform(bucket: Mapping[str, Any]) -> bool:
    return bool(bucket["iamConfiguration"]["uniformBucketLevelAccess"]["enabled"])


def _set_namespace(bucket: Document, wanted: Mapping[str, Any], creating: bool) -> None:
    current = bool(bucket.get("hierarchicalNamespace", {}).get("enabled"))
    hierarchical = bool((wanted.get("hierarchicalNamespace") or {"enabled": current}).get("enabled"))
    if hierarchical != current and not creating:
        raise StorageError(
            400, "invalid", "Hierarchical namespace can only be set when the bucket is created."
        )
    if hierarchical and not _uniform(bucket):
        message = "Hierarchical namespace buckets must have uniform bucket-level access enabled."
        raise StorageError(400, "invalid", message)
    if hierarchical:
        bucket["hierarchicalNamespace"] = {"enabled": True}
