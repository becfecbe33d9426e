"""Cloud Storage's buckets: what they are, what is in them, who may read them. The bytes go through gcsfs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import requests
from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.cloud import storage

from runbook.clients.google_errors import of_status, passing_troubles
from runbook.clients.transport import TIMEOUT, decoded
from runbook.engine.errors import PassingError, Place, RefusedError

SUPPLIED_BY = "storage.bucket"
LISTED = "items(name,size,crc32c,generation,metadata),nextPageToken"
POLICY_VERSION = 3
IAM_ATTEMPTS = 4


@dataclass(frozen=True)
class Bucket:
    """A bucket, as far as the guide cares.

    Args:
        location: region or multi-region, in lower case; empty for a new bucket: where Google likes.
        uniform_access: whether IAM alone decides; writes under Workload Identity Federation need it.
        public_access_prevention: `enforced` or `inherited`.
        hierarchical_namespace: whether folders are real.
        soft_delete_s: for how many seconds what is deleted is kept, and billed.
    """

    name: str
    location: str
    uniform_access: bool
    public_access_prevention: str
    hierarchical_namespace: bool
    soft_delete_s: int = 0


@dataclass(frozen=True)
class StoredObject:
    """An object of a listing.

    Args:
        name: with its folders.
        size: in bytes.
        crc32c: base64 of its CRC32C, as Cloud Storage computed it.
        metadata: what the writer recorded with it.
    """

    name: str
    size: int
    crc32c: str
    generation: int
    metadata: Mapping[str, str] = field(default_factory=dict)


class Storage:
    """Cloud Storage's metadata (google-cloud-storage).

    Args:
        session: an authorised session that retries reads.
        credentials: of google-auth.
        endpoint: base address, such as https://storage.googleapis.com.
        project: ID of the project that new buckets belong to.
    """

    def __init__(self, session: requests.Session, credentials: Any, endpoint: str, project: str) -> None:
        self._session = session
        self._endpoint = endpoint
        self._client = storage.Client(
            project=project,
            credentials=credentials,
            _http=session,
            client_options=ClientOptions(api_endpoint=endpoint),
        )

    def bucket(self, name: str) -> Bucket | None:
        """Read a bucket; None where there is none.

        Raises:
            CredentialsError: it may not be read, which is also said of a name that someone else owns.
        """
        with self._at("GET", f"b/{name}"):
            found = self._client.lookup_bucket(name, timeout=TIMEOUT)
        return _bucket(found) if found else None

    def create(self, wanted: Bucket) -> None:
        """Create a bucket."""
        bucket = self._client.bucket(wanted.name)
        bucket.iam_configuration.uniform_bucket_level_access_enabled = wanted.uniform_access
        bucket.iam_configuration.public_access_prevention = wanted.public_access_prevention
        if wanted.hierarchical_namespace:
            bucket.hierarchical_namespace_enabled = True
        with self._at("POST", "b"):
            self._client.create_bucket(bucket, location=wanted.location or None, timeout=TIMEOUT)

    def use_uniform_access(self, name: str) -> None:
        """Have IAM alone decide who may read a bucket."""
        bucket = self._client.bucket(name)
        bucket.iam_configuration.uniform_bucket_level_access_enabled = True
        with self._at("PATCH", f"b/{name}"):
            bucket.patch(timeout=TIMEOUT)

    def objects(self, bucket: str, prefix: str = "") -> list[StoredObject]:
        """List the objects under a prefix, with the metadata that was recorded with them."""
        with self._at("GET", f"b/{bucket}/o"):
            blobs = self._client.list_blobs(bucket, prefix=prefix, fields=LISTED, timeout=TIMEOUT)
            return [_stored(blob) for blob in blobs]

    def read(self, bucket: str, name: str) -> bytes:
        """Read a small object."""
        with self._at("GET", f"b/{bucket}/o/{name}"):
            content: bytes = self._client.bucket(bucket).blob(name).download_as_bytes(timeout=TIMEOUT)
            return content

    def delete(self, bucket: str) -> None:
        """Delete a bucket with everything in it."""
        with self._at("DELETE", f"b/{bucket}"):
            handle = self._client.bucket(bucket)
            for blob in self._client.list_blobs(bucket, versions=True, timeout=TIMEOUT):
                blob.delete(timeout=TIMEOUT)
            for folder in reversed(self.folders(bucket)):
                self._folder_call("DELETE", bucket, folder)
            handle.delete(timeout=TIMEOUT)

    def members(self, bucket: str) -> frozenset[tuple[str, str]]:
        """Read who has which role on a bucket without a condition: pairs of role and member."""
        with self._at("GET", f"b/{bucket}/iam"):
            return frozenset(_pairs(self._policy(bucket)))

    def lacking(self, bucket: str, permissions: Sequence[str]) -> list[str]:
        """Tell which permissions this login lacks on a bucket."""
        with self._at("GET", f"b/{bucket}/iam/testPermissions"):
            granted = self._client.bucket(bucket).test_iam_permissions(permissions, timeout=TIMEOUT)
        return [permission for permission in permissions if permission not in granted]

    def grant(self, bucket: str, role: str, member: str) -> None:
        """Give a member a role on a bucket, whatever others change in its policy at the same time."""
        self._change_policy(bucket, role, member, wanted=True)

    def revoke(self, bucket: str, role: str, member: str) -> None:
        """Take a role on a bucket away from a member."""
        self._change_policy(bucket, role, member, wanted=False)

    def folders(self, bucket: str) -> list[str]:
        """List the real folders of a bucket, parents first; a flat bucket has none."""
        found = self.bucket(bucket)
        if found is None or not found.hierarchical_namespace:
            return []
        answer = self._folder_call("GET", bucket, "")
        return sorted(item["name"] for item in answer.get("items", []))

    def create_folder(self, bucket: str, folder: str) -> None:
        """Make a real folder, and those above it, in a bucket with a hierarchical namespace.

        Args:
            folder: ends with a slash.
        """
        self._folder_call("POST", bucket, folder)

    def _policy(self, bucket: str) -> Any:
        return self._client.bucket(bucket).get_iam_policy(
            requested_policy_version=POLICY_VERSION, timeout=TIMEOUT
        )

    def _change_policy(self, bucket: str, role: str, member: str, *, wanted: bool) -> None:
        handle = self._client.bucket(bucket)
        for _ in range(IAM_ATTEMPTS):
            with self._at("PUT", f"b/{bucket}/iam"):
                policy = self._policy(bucket)
                policy.version = POLICY_VERSION
                policy.bindings = _changed(policy.bindings, role, member, wanted=wanted)
                try:
                    handle.set_iam_policy(policy, timeout=TIMEOUT)
                except (exceptions.PreconditionFailed, exceptions.Conflict):
                    continue
                return
        raise PassingError(
            f"the IAM policy of bucket {bucket} was changed by others each time",
            place=self._place("PUT", f"b/{bucket}/iam"),
        )

    def _folder_call(self, method: str, bucket: str, folder: str) -> dict[str, Any]:
        path = f"b/{bucket}/folders"
        body: dict[str, Any] | None = {"name": folder} if method == "POST" else None
        if method == "DELETE":
            path += f"/{quote(folder, safe='')}"
        place = self._place(method, path)
        with passing_troubles(place):
            response = self._session.request(
                method,
                f"{self._endpoint}/storage/v1/{path}",
                params={"recursive": "true"} if method == "POST" else None,
                json=body,
                timeout=TIMEOUT,
            )
        if not response.ok:
            message = str(decoded(response).get("error", {}).get("message", response.reason))
            raise of_status(response.status_code, message, place=place, supplied_by=SUPPLIED_BY)
        return decoded(response)

    def _place(self, method: str, path: str) -> Place:
        return Place(f"{method} {self._endpoint}/storage/v1/{path}")

    @contextmanager
    def _at(self, method: str, path: str) -> Iterator[None]:
        """Turn what google-cloud-storage raises into the project's errors."""
        place = self._place(method, path)
        with passing_troubles(place):
            try:
                yield
            except exceptions.RetryError as error:
                raise PassingError(str(error.cause), place=place) from error
            except exceptions.GoogleAPICallError as error:
                raise _refused(error, place) from error


def _refused(error: exceptions.GoogleAPICallError, place: Place) -> Exception:
    status = int(error.code or 500)
    message = str(error.message).rpartition(": ")[2].rstrip(".") if error.message else str(error)
    if status == 409:
        return RefusedError(
            message,
            place=place,
            remedy="bucket names are shared by the whole world: choose another bucket.name",
        )
    return of_status(status, message, place=place, supplied_by=SUPPLIED_BY)


def _bucket(found: Any) -> Bucket:
    iam = found.iam_configuration
    return Bucket(
        name=found.name,
        location=found.location.lower(),
        uniform_access=bool(iam.uniform_bucket_level_access_enabled),
        public_access_prevention=iam.public_access_prevention or "inherited",
        hierarchical_namespace=bool(found.hierarchical_namespace_enabled),
        soft_delete_s=int(found.soft_delete_policy.retention_duration_seconds or 0),
    )


def _stored(blob: Any) -> StoredObject:
    return StoredObject(
        name=blob.name,
        size=blob.size,
        crc32c=blob.crc32c or "",
        generation=blob.generation or 0,
        metadata=blob.metadata or {},
    )


def _pairs(policy: Any) -> Iterator[tuple[str, str]]:
    for binding in policy.bindings:
        if not binding.get("condition"):
            for member in binding["members"]:
                yield binding["role"], member


def _changed(bindings: list[dict[str, Any]], role: str, member: str, *, wanted: bool) -> list[dict[str, Any]]:
    """Give the bindings with the member in the role's unconditional binding, or without it."""
    kept = []
    members: set[str] = {member} if wanted else set()
    for binding in bindings:
        if binding["role"] == role and not binding.get("condition"):
            members |= set(binding["members"]) - {member}
        else:
            kept.append(binding)
    return [*kept, {"role": role, "members": sorted(members)}] if members else kept
