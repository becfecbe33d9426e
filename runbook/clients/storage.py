"""Cloud Storage's buckets: what they are, what is in them, who may read them. The bytes go through gcsfs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests
from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.cloud import storage

from runbook.clients.google_errors import of_status, passing_troubles
from runbook.clients.storage_requests import (
    POLICY_VERSION,
    Grant,
    StorageRequest,
    delete_bucket,
    delete_folder,
)
from runbook.clients.transport import TIMEOUT, decoded
from runbook.engine.errors import PassingError, Place, RefusedError, RunbookError

# Read at each call: the client would ask for the bucket behind our back, for traces that nobody collects.
os.environ["DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA"] = "true"

SUPPLIED_BY = "storage.bucket"
LISTED = "items(name,size,crc32c,generation,metadata),nextPageToken"
IAM_ATTEMPTS = 4
NAME_TAKEN = "bucket names are shared by the whole world: choose another bucket.name"


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

    def send(self, request: StorageRequest) -> None:
        """Send a write; it is never sent twice.

        Raises:
            RefusedError: the bucket's name is taken.
            RunbookError: the API refused, or did not answer.
        """
        response = self._sent(request)
        if response.ok:
            return
        error = _refusal(response, self._place(request.method, request.path))
        if response.status_code == 409 and request.path == "b":
            raise RefusedError(error.message, place=error.place, remedy=NAME_TAKEN)
        raise error

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
            for blob in self._client.list_blobs(bucket, versions=True, timeout=TIMEOUT):
                blob.delete(timeout=TIMEOUT)
        for folder in reversed(self.folders(bucket)):
            self.send(delete_folder(bucket, folder))
        self.send(delete_bucket(bucket))

    def members(self, bucket: str) -> frozenset[tuple[str, str]]:
        """Read who has which role on a bucket without a condition: pairs of role and member."""
        with self._at("GET", f"b/{bucket}/iam"):
            return frozenset(_pairs(self._policy(bucket)))

    def lacking(self, bucket: str, permissions: Sequence[str]) -> list[str]:
        """Tell which permissions this login lacks on a bucket."""
        with self._at("GET", f"b/{bucket}/iam/testPermissions"):
            granted = self._client.bucket(bucket).test_iam_permissions(permissions, timeout=TIMEOUT)
        return [permission for permission in permissions if permission not in granted]

    def change(self, grant: Grant) -> None:
        """Give a member a role on a bucket, or take it away, whatever others change in its policy."""
        for _ in range(IAM_ATTEMPTS):
            request = grant.request(self._policy(grant.bucket))
            response = self._sent(request)
            if response.ok:
                return
            place = self._place(request.method, request.path)
            if response.status_code not in {409, 412}:
                raise _refusal(response, place)
        raise PassingError(
            f"the IAM policy of bucket {grant.bucket} was changed by others each time", place=place
        )

    def folders(self, bucket: str) -> list[str]:
        """List the real folders of a bucket, parents first; a flat bucket has none."""
        found = self.bucket(bucket)
        if found is None or not found.hierarchical_namespace:
            return []
        answer = self._read(f"b/{bucket}/folders", {})
        return sorted(item["name"] for item in answer.get("items", []))

    def _policy(self, bucket: str) -> dict[str, Any]:
        return self._read(f"b/{bucket}/iam", {"optionsRequestedPolicyVersion": str(POLICY_VERSION)})

    def _read(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        place = self._place("GET", path)
        with passing_troubles(place):
            response = self._session.get(f"{self._endpoint}/storage/v1/{path}", params=query, timeout=TIMEOUT)
        if not response.ok:
            raise _refusal(response, place)
        return decoded(response)

    def _sent(self, request: StorageRequest) -> requests.Response:
        with passing_troubles(self._place(request.method, request.path)):
            return self._session.request(
                request.method,
                f"{self._endpoint}/storage/v1/{request.path}",
                params=request.query,
                json=request.body,
                timeout=TIMEOUT,
            )

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
    message = str(error.message).rpartition(": ")[2].rstrip(".") if error.message else str(error)
    return of_status(int(error.code or 500), message, place=place, supplied_by=SUPPLIED_BY)


def _refusal(response: requests.Response, place: Place) -> RunbookError:
    message = str(decoded(response).get("error", {}).get("message", response.reason)).rstrip(".")
    return of_status(response.status_code, message, place=place, supplied_by=SUPPLIED_BY)


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


def _pairs(policy: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for binding in policy.get("bindings", []):
        if not binding.get("condition"):
            for member in binding["members"]:
                yield binding["role"], member
