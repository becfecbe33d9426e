"""The predefined roles of Cloud Storage that a bucket's policy can bind, and what each permits.

Source: cloud.google.com/storage/docs/access-control/iam-roles.
"""

from __future__ import annotations


def _permissions(resource: str, verbs: str) -> set[str]:
    return {f"storage.{resource}.{verb}" for verb in verbs.split()}


_READ = _permissions("objects", "get list") | _permissions("folders", "get list")
_READ |= _permissions("managedFolders", "get list")
_MULTIPART = _permissions("multipartUploads", "abort create list listParts")
_ADD = _permissions("objects", "create") | _permissions("folders", "create") | _MULTIPART
_ADD |= _permissions("managedFolders", "create")
_WRITE = _READ | _ADD | _permissions("objects", "delete move restore update")
_WRITE |= _permissions("folders", "delete rename") | _permissions("managedFolders", "delete")
_OBJECT_POLICIES = _permissions("objects", "getIamPolicy setIamPolicy overrideUnlockedRetention setRetention")
_OBJECT_POLICIES |= _permissions("managedFolders", "getIamPolicy setIamPolicy")
_BUCKET = _permissions("buckets", "create delete get getIamPolicy list setIamPolicy update")
_BUCKET |= _permissions(
    "buckets", "createTagBinding deleteTagBinding enableObjectRetention getObjectInsights"
)
_BUCKET_READ = _permissions("buckets", "get") | _permissions("objects", "list")
_BUCKET_READ |= _permissions("managedFolders", "get list") | _permissions("multipartUploads", "list")
_BUCKET_WRITE = _BUCKET_READ | _MULTIPART | _permissions("objects", "create delete restore")
_BUCKET_OWN = _BUCKET_WRITE | _permissions("buckets", "getIamPolicy setIamPolicy update")

PERMISSIONS: dict[str, frozenset[str]] = {
    f"roles/storage.{role}": frozenset(held)
    for role, held in {
        "admin": _WRITE | _OBJECT_POLICIES | _BUCKET,
        "objectAdmin": _WRITE | _OBJECT_POLICIES,
        "objectUser": _WRITE,
        "objectViewer": _READ,
        "objectCreator": _ADD,
        "bucketViewer": _permissions("buckets", "get list"),
        "insightsCollectorService": _permissions("buckets", "get getObjectInsights"),
        "legacyBucketReader": _BUCKET_READ,
        "legacyBucketWriter": _BUCKET_WRITE,
        "legacyBucketOwner": _BUCKET_OWN,
        "legacyObjectReader": _permissions("objects", "get"),
        "legacyObjectOwner": _permissions("objects", "get getIamPolicy setIamPolicy update"),
    }.items()
}
