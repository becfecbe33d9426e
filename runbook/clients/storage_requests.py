"""Every change that is asked of Cloud Storage: a request, and the gcloud command that sends the same.

Facts: paths, fields and their order are what gcloud 528 sends to the JSON API. Objects are not in here: they
are written through the file system.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

POLICY_VERSION = 3
"""The version of IAM policies that have conditions; who asks for less, and writes it back, loses them."""


@dataclass(frozen=True)
class StorageRequest:
    """One write to the JSON API, and the command that does the same.

    Args:
        method: POST, PATCH, PUT or DELETE.
        path: below `/storage/v1/`.
        body: the JSON body; None for DELETE.
        argv: the equivalent gcloud command.
        query: of the address, without what only shapes the answer.
    """

    method: str
    path: str
    body: Mapping[str, Any] | None
    argv: Sequence[str]
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Grant:
    """A role on a bucket, without a condition, that a member should have, or should not have any more.

    Args:
        bucket: the bucket's name.
        role: such as roles/storage.objectViewer.
        member: such as principal://iam.googleapis.com/...
        wanted: whether it should be there.
    """

    bucket: str
    role: str
    member: str
    wanted: bool = True

    @property
    def argv(self) -> Sequence[str]:
        """The equivalent gcloud command, which reads the policy itself."""
        verb = "add" if self.wanted else "remove"
        return [
            *("gcloud", "storage", "buckets", f"{verb}-iam-policy-binding", f"gs://{self.bucket}"),
            f"--member={self.member}",
            f"--role={self.role}",
        ]

    def request(self, policy: Mapping[str, Any]) -> StorageRequest:
        """Make the request that writes the policy back with this one change.

        Args:
            policy: as it was read in version 3; its etag lets the API refuse when somebody was faster.
        """
        bindings = self._changed(policy.get("bindings", []))
        body = {
            "etag": policy["etag"],
            "version": POLICY_VERSION,
            **({"bindings": bindings} if bindings else {}),
        }
        return StorageRequest("PUT", f"b/{self.bucket}/iam", body, self.argv)

    def _changed(self, bindings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        changed: list[dict[str, Any]] = [dict(copy.deepcopy(binding)) for binding in bindings]
        own = [item for item in changed if item["role"] == self.role and not item.get("condition")]
        for binding in own:
            binding["members"] = [member for member in binding["members"] if member != self.member]
        if self.wanted and own:
            own[0]["members"].append(self.member)
        elif self.wanted:
            changed.append({"role": self.role, "members": [self.member]})
        return [binding for binding in changed if binding["members"]]


def create_bucket(name: str, project: str, *, location: str, hierarchical_namespace: bool) -> StorageRequest:
    """Section 3.1: IAM alone decides who reads it, and it cannot be made public.

    Args:
        location: region or multi-region; empty: where Google likes.
        hierarchical_namespace: whether folders are real.
    """
    body: dict[str, Any] = {
        "name": name,
        "iamConfiguration": {
            "publicAccessPrevention": "enforced",
            "uniformBucketLevelAccess": {"enabled": True},
        },
    }
    if location:
        body["location"] = location
    if hierarchical_namespace:
        body["hierarchicalNamespace"] = {"enabled": True}
    argv = [
        *("gcloud", "storage", "buckets", "create", f"gs://{name}", f"--project={project}"),
        *([f"--location={location}"] if location else []),
        "--uniform-bucket-level-access",
        "--public-access-prevention",
        *(["--enable-hierarchical-namespace"] if hierarchical_namespace else []),
    ]
    return StorageRequest("POST", "b", body, argv, {"project": project})


def use_uniform_access(name: str) -> StorageRequest:
    """Section 3.1, a bucket that is there: IAM alone decides who reads it."""
    body = {"name": name, "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}}}
    argv = ["gcloud", "storage", "buckets", "update", f"gs://{name}", "--uniform-bucket-level-access"]
    return StorageRequest("PATCH", f"b/{name}", body, argv)


def create_folder(bucket: str, folder: str) -> StorageRequest:
    """Section 3.2.2: a real folder, and those above it, in a bucket with a hierarchical namespace.

    Args:
        folder: ends with a slash.
    """
    argv = ["gcloud", "storage", "folders", "create", "--recursive", f"gs://{bucket}/{folder}"]
    body = {"bucket": bucket, "name": folder}
    return StorageRequest("POST", f"b/{bucket}/folders", body, argv, {"recursive": "True"})


def delete_folder(bucket: str, folder: str) -> StorageRequest:
    """A real folder without anything in it."""
    argv = ["gcloud", "storage", "folders", "delete", f"gs://{bucket}/{folder}"]
    return StorageRequest("DELETE", f"b/{bucket}/folders/{quote(folder, safe='')}", None, argv)


def delete_bucket(name: str) -> StorageRequest:
    """Section 6.5; the command, and the client, first delete everything in the bucket."""
    return StorageRequest(
        "DELETE", f"b/{name}", None, ["gcloud", "storage", "rm", "--recursive", f"gs://{name}"]
    )
