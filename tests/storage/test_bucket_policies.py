from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from rehearsal.documents import Database
from rehearsal.storage.blobs import Blobs
from rehearsal.storage.catalogue import Catalogue
from rehearsal.storage.view import View

POOL = "iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/p1.svc.id.goog"
READER = f"principal://{POOL}/subject/ns/default/sa/default"
OTHER = f"principal://{POOL}/subject/ns/other/sa/default"

Change = Callable[[dict[str, Any]], requests.Response]


@pytest.fixture
def policy_url(storage_url: str) -> str:
    bucket = {"name": "models", "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}}}
    assert requests.post(f"{storage_url}/storage/v1/b?project=p1", json=bucket, timeout=10).ok
    return f"{storage_url}/storage/v1/b/models/iam"


@pytest.fixture
def view(policy_url: str, tmp_path: Path) -> Iterator[View]:
    database = Database(tmp_path / "cloud" / "documents.sqlite")
    yield View(Catalogue(database), Blobs(tmp_path / "cloud" / "storage"))
    database.close()


def read(policy_url: str) -> dict[str, Any]:
    policy: dict[str, Any] = requests.get(f"{policy_url}?optionsRequestedPolicyVersion=3", timeout=10).json()
    return policy


def grant(policy_url: str, role: str, *members: str) -> requests.Response:
    policy = read(policy_url)
    policy["bindings"].append({"role": role, "members": list(members)})
    return requests.put(policy_url, json=policy | {"version": 3}, timeout=10)


def test_a_grant_to_a_kubernetes_service_account_is_kept(policy_url: str, view: View) -> None:
    assert not view.allowed("models", READER, "storage.objects.get")
    assert grant(policy_url, "roles/storage.objectViewer", READER).ok
    assert {"role": "roles/storage.objectViewer", "members": [READER]} in read(policy_url)["bindings"]
    assert view.allowed("models", READER, "storage.objects.get")
    assert view.allowed("models", READER, "storage.objects.list")
    assert not view.allowed("models", READER, "storage.objects.create")
    assert not view.allowed("models", OTHER, "storage.objects.get")
    assert not view.allowed("missing", READER, "storage.objects.get")


@pytest.mark.parametrize(
    ("role", "permission", "allowed"),
    [
        ("objectUser", "storage.objects.create", True),
        ("objectUser", "storage.objects.setIamPolicy", False),
        ("objectAdmin", "storage.objects.delete", True),
        ("objectAdmin", "storage.buckets.get", False),
        ("admin", "storage.buckets.delete", True),
        ("legacyBucketReader", "storage.objects.list", True),
        ("legacyBucketReader", "storage.objects.get", False),
    ],
)
def test_roles_permit_what_they_permit(
    policy_url: str, view: View, role: str, permission: str, allowed: bool
) -> None:
    grant(policy_url, f"roles/storage.{role}", READER)
    assert view.allowed("models", READER, permission) is allowed


def test_a_whole_namespace_can_be_granted(policy_url: str, view: View) -> None:
    grant(policy_url, "roles/storage.objectViewer", f"principalSet://{POOL}/namespace/default")
    assert view.allowed("models", READER, "storage.objects.get")
    assert not view.allowed("models", OTHER, "storage.objects.get")


def test_a_stale_etag_is_refused(policy_url: str) -> None:
    stale = read(policy_url)
    assert grant(policy_url, "roles/storage.objectViewer", READER).ok
    refused = requests.put(policy_url, json=stale, timeout=10)
    assert (refused.status_code, refused.json()["error"]["errors"][0]["reason"]) == (412, "conditionNotMet")


def test_a_role_or_member_that_does_not_exist_is_refused(policy_url: str) -> None:
    assert "is not supported for this resource" in grant(policy_url, "roles/storage.king", READER).text
    assert "is of an unknown type" in grant(policy_url, "roles/storage.objectViewer", "default").text


def test_the_public_is_refused_where_the_bucket_says_so(policy_url: str) -> None:
    bucket = policy_url.removesuffix("/iam")
    assert grant(policy_url, "roles/storage.objectViewer", "allUsers").ok
    requests.patch(bucket, json={"iamConfiguration": {"publicAccessPrevention": "enforced"}}, timeout=10)
    refused = grant(policy_url, "roles/storage.objectViewer", "allUsers")
    assert refused.status_code == 412
    assert "public access prevention is enforced" in refused.text


def test_conditions_need_policy_version_three(policy_url: str) -> None:
    binding = {
        "role": "roles/storage.objectViewer",
        "members": [READER],
        "condition": {"title": "t", "expression": "true"},
    }
    assert requests.put(policy_url, json={"bindings": [binding]}, timeout=10).status_code == 400
    assert (
        requests.put(policy_url, json={"bindings": [binding], "version": 3}, timeout=10).json()["version"]
        == 3
    )
    assert requests.get(policy_url, timeout=10).status_code == 400
    assert read(policy_url)["bindings"] == [binding]


def test_the_caller_owns_the_bucket(policy_url: str) -> None:
    asked = [("permissions", "storage.objects.create"), ("permissions", "storage.buckets.setIamPolicy")]
    answer = requests.get(f"{policy_url}/testPermissions", params=asked, timeout=10).json()
    assert answer["permissions"] == [permission for _, permission in asked]
