"""IAM policies of buckets: who may do what, by binding."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from rehearsal.documents import Document
from rehearsal.project_facts import ToldFacts
from rehearsal.storage.call import Call, Reply
from rehearsal.storage.catalogue import Catalogue, etag
from rehearsal.storage.errors import StorageError, condition_not_met
from rehearsal.storage.fields import select
from rehearsal.storage.roles import PERMISSIONS

_EVERYBODY = ("allUsers", "allAuthenticatedUsers")
_TYPED_MEMBER = re.compile(
    r"(deleted:)?(user|serviceAccount|group|domain|projectOwner|projectEditor|projectViewer):.+"
    r"|(deleted:)?(principal|principalSet)://iam\.googleapis\.com/.+"
)
_SUBJECT = re.compile(r"principal://(?P<pool>.+)/subject/ns/(?P<namespace>[^/]+)/sa/[^/]+")


class Policies:
    """Read and replace the policies of buckets.

    Args:
        catalogue: where they are kept.
        project: tells what the operator's login may not do.
    """

    def __init__(self, catalogue: Catalogue, project: ToldFacts) -> None:
        self._catalogue = catalogue
        self._project = project

    async def get(self, call: Call) -> Reply:
        """storage.buckets.getIamPolicy."""
        bucket = self._catalogue.bucket(call.names["bucket"])["name"]
        requested = call.number("optionsRequestedPolicyVersion", 1)
        policy = self._catalogue.policies[bucket]
        if requested < 3 and any("condition" in binding for binding in policy["bindings"]):
            message = (
                "Requested policy version must be at least 3 to read a policy with conditional bindings."
            )
            raise StorageError(400, "invalid", message)
        return Reply(select(_resource(bucket, policy), call.query.get("fields")))

    async def set(self, call: Call) -> Reply:
        """storage.buckets.setIamPolicy: refused where the etag is no longer that of the policy."""
        bucket = self._catalogue.bucket(call.names["bucket"])
        name = bucket["name"]
        current = self._catalogue.policies[name]
        if call.body.get("etag", etag(current["revision"])) != etag(current["revision"]):
            raise condition_not_met()
        bindings = _merged(call.body.get("bindings") or [], call.body.get("version", 1))
        if bucket["iamConfiguration"]["publicAccessPrevention"] == "enforced":
            _refuse_public(bindings)
        policy = {"bindings": bindings, "revision": current["revision"] + 1}
        self._catalogue.policies[name] = policy
        return Reply(select(_resource(name, policy), call.query.get("fields")))

    async def test(self, call: Call) -> Reply:
        """storage.buckets.testIamPermissions: the operator owns every bucket, but for what is denied."""
        bucket = self._catalogue.bucket(call.names["bucket"])["name"]
        asked = call.query.getall("permissions", [])
        owned = PERMISSIONS["roles/storage.admin"].difference(self._project.now.denied_permissions)
        held = [permission for permission in asked if permission in owned]
        if call.principal:
            policy = self._catalogue.policies[bucket]
            held = [
                permission for permission in asked if allows_any(policy, call.principal.members, permission)
            ]
        answer: Document = {"kind": "storage#testIamPermissionsResponse"}
        return Reply(answer | ({"permissions": held} if held else {}))


def initial_policy(project: str, uniform: bool) -> Document:
    """Give a new bucket the bindings that every new bucket has.

    Args:
        project: owner of the bucket.
        uniform: with uniform bucket-level access, the object roles are bound too.
    """
    owners = [f"projectEditor:{project}", f"projectOwner:{project}"]
    viewers = [f"projectViewer:{project}"]
    bindings = [
        {"role": "roles/storage.legacyBucketOwner", "members": owners},
        {"role": "roles/storage.legacyBucketReader", "members": viewers},
    ]
    if uniform:
        bindings.append({"role": "roles/storage.legacyObjectOwner", "members": owners})
        bindings.append({"role": "roles/storage.legacyObjectReader", "members": viewers})
    return {"bindings": bindings, "revision": 1}


def allows(policy: Mapping[str, Any], member: str, permission: str) -> bool:
    """Tell whether some binding gives the member the permission; conditions are taken as true."""
    names = _names(member)
    return any(
        permission in PERMISSIONS[binding["role"]] and not names.isdisjoint(binding["members"])
        for binding in policy["bindings"]
    )


def allows_any(policy: Mapping[str, Any], members: Iterable[str], permission: str) -> bool:
    """Tell whether somebody who is all of these members has the permission."""
    return any(allows(policy, member, permission) for member in members)


def _names(member: str) -> set[str]:
    names = {member, *_EVERYBODY}
    subject = _SUBJECT.fullmatch(member)
    if subject:
        names.add(f"principalSet://{subject['pool']}/namespace/{subject['namespace']}")
        names.add(f"principalSet://{subject['pool']}/*")
    return names


def _resource(bucket: str, policy: Mapping[str, Any]) -> Document:
    conditional = any("condition" in binding for binding in policy["bindings"])
    return {
        "kind": "storage#policy",
        "resourceId": f"projects/_/buckets/{bucket}",
        "version": 3 if conditional else 1,
        "etag": etag(policy["revision"]),
        "bindings": policy["bindings"],
    }


def _merged(bindings: list[Document], version: int) -> list[Document]:
    merged: dict[str, Document] = {}
    for binding in bindings:
        _validate(binding, version)
        key = f"{binding['role']} {binding.get('condition')}"
        slot = merged.setdefault(key, binding | {"members": []})
        slot["members"] = sorted({*slot["members"], *binding["members"]})
    return sorted((slot for slot in merged.values() if slot["members"]), key=lambda slot: str(slot["role"]))


def _validate(binding: Document, version: int) -> None:
    role = binding.get("role", "")
    if role not in PERMISSIONS:
        raise StorageError(400, "invalidArgument", f"Role {role} is not supported for this resource.")
    if "condition" in binding and version < 3:
        message = "Policies with conditional bindings must be written with policy version 3."
        raise StorageError(400, "invalid", message)
    for member in binding.get("members", []):
        if member not in _EVERYBODY and not _TYPED_MEMBER.fullmatch(member):
            message = (
                f'The member "{member}" is of an unknown type. Please set a valid type prefix for the member.'
            )
            raise StorageError(400, "invalidArgument", message)


def _refuse_public(bindings: list[Document]) -> None:
    if any(member in _EVERYBODY for binding in bindings for member in binding["members"]):
        message = (
            "The member bindings allUsers and allAuthenticatedUsers are not allowed since public access"
            " prevention is enforced."
        )
        raise StorageError(412, "conditionNotMet", message, "If-Match")
