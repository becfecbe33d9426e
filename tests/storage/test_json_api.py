from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import requests

from rehearsal.documents import Database
from rehearsal.storage.blobs import Blobs
from rehearsal.storage.catalogue import Catalogue
from rehearsal.storage.view import View


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@pytest.fixture
def bucket(storage_url: str, http: requests.Session) -> str:
    made = http.post(f"{storage_url}/storage/v1/b?project=p1", json={"name": "models"})
    assert made.ok
    return f"{storage_url}/storage/v1/b/models"


@pytest.fixture
def hierarchical(storage_url: str, http: requests.Session) -> str:
    settings = {
        "name": "tree",
        "hierarchicalNamespace": {"enabled": True},
        "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}},
    }
    assert http.post(f"{storage_url}/storage/v1/b?project=p1", json=settings).ok
    return f"{storage_url}/storage/v1/b/tree"


def put(http: requests.Session, bucket: str, name: str, body: bytes = b"1") -> None:
    root, _, bucket_name = bucket.partition("/storage/v1/b/")
    query = {"uploadType": "media", "name": name}
    assert http.post(f"{root}/upload/storage/v1/b/{bucket_name}/o", params=query, data=body).ok


def test_a_listing_shows_only_the_fields_asked_for(http: requests.Session, bucket: str) -> None:
    put(http, bucket, "a", b"12345")
    page = http.get(f"{bucket}/o", params={"fields": "items(name,size),prefixes"}).json()
    assert page == {"items": [{"name": "a", "size": "5"}]}
    assert http.get(f"{bucket}/o", params={"fields": "items/name"}).json() == {"items": [{"name": "a"}]}
    assert http.get(f"{bucket}/o", params={"fields": "items(name"}).status_code == 400


def test_a_listing_goes_on_after_its_token(http: requests.Session, bucket: str) -> None:
    for name in ("a/1", "a/2", "b", "c/1", "d"):
        put(http, bucket, name)
    seen: list[str] = []
    query = {"delimiter": "/", "maxResults": "1"}
    while True:
        page = http.get(f"{bucket}/o", params=query).json()
        seen += [*page.get("prefixes", []), *(item["name"] for item in page.get("items", []))]
        if "nextPageToken" not in page:
            break
        query["pageToken"] = page["nextPageToken"]
    assert seen == ["a/", "b", "c/", "d"]
    offsets = http.get(f"{bucket}/o", params={"startOffset": "a/2", "endOffset": "c"}).json()
    assert [item["name"] for item in offsets["items"]] == ["a/2", "b"]


def test_a_range_is_answered_as_a_part(http: requests.Session, bucket: str) -> None:
    put(http, bucket, "a", b"0123456789")
    for wanted, got in (
        ("bytes=2-4", b"234"),
        ("bytes=7-", b"789"),
        ("bytes=-2", b"89"),
        ("bytes=8-99", b"89"),
    ):
        answer = http.get(f"{bucket}/o/a?alt=media", headers={"Range": wanted})
        assert (answer.status_code, answer.content) == (206, got)
    beyond = http.get(f"{bucket}/o/a?alt=media", headers={"Range": "bytes=10-"})
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, "bytes */10")


def test_an_unchanged_object_is_not_read_again(http: requests.Session, bucket: str) -> None:
    put(http, bucket, "a")
    generation = http.get(f"{bucket}/o/a").json()["generation"]
    assert http.get(f"{bucket}/o/a?ifGenerationNotMatch={generation}").status_code == 304
    assert http.get(f"{bucket}/o/a?ifGenerationMatch=1").status_code == 412
    assert http.get(f"{bucket}/o/a?generation=1").status_code == 404


def test_a_name_may_hold_anything_that_a_path_does(http: requests.Session, bucket: str) -> None:
    for name in ("a/compose", "50%/x y", "ü?#&+"):
        put(http, bucket, name, name.encode())
        path = f"{bucket}/o/{quote(name, safe='')}"
        assert http.get(path).json()["name"] == name
        assert http.get(f"{path}?alt=media").content == name.encode()


def test_what_is_not_emulated_is_said_and_never_a_5xx(http: requests.Session, bucket: str) -> None:
    for answer in (
        http.patch(bucket, json={"versioning": {"enabled": True}}),
        http.patch(bucket, json={"retentionPolicy": {"retentionPeriod": "1"}}),
        http.get(f"{bucket}/notificationConfigs"),
        http.get(f"{bucket}/o?matchGlob=**"),
    ):
        assert (answer.status_code, "does not emulate" in answer.text) == (400, True)


def test_uniform_access_refuses_acls(http: requests.Session, hierarchical: str) -> None:
    url = (
        hierarchical.replace("/storage/v1", "/upload/storage/v1")
        + "/o?uploadType=media&name=a&predefinedAcl=private"
    )
    assert "uniform bucket-level access is enabled" in http.post(url, data=b"1").text


def test_a_hierarchical_bucket_has_folders(http: requests.Session, hierarchical: str) -> None:
    put(http, hierarchical, "a/b/file")
    assert http.post(f"{hierarchical}/folders", json={"name": "empty/"}).ok
    assert http.post(f"{hierarchical}/folders", json={"name": "empty/"}).status_code == 409
    assert http.post(f"{hierarchical}/folders", json={"name": "x/y/"}).status_code == 404
    assert http.post(f"{hierarchical}/folders?recursive=true", json={"name": "x/y/"}).ok
    names = [folder["name"] for folder in http.get(f"{hierarchical}/folders").json()["items"]]
    assert names == ["a/", "a/b/", "empty/", "x/", "x/y/"]
    listing = http.get(f"{hierarchical}/o?delimiter=/&includeFoldersAsPrefixes=true").json()
    assert listing["prefixes"] == ["a/", "empty/", "x/"]
    assert http.delete(f"{hierarchical}/folders/a%2Fb%2F").status_code == 409
    assert http.delete(f"{hierarchical}/folders/empty%2F").status_code == 204
    assert http.get(f"{hierarchical}/folders/empty%2F").status_code == 404


def test_hierarchy_needs_uniform_access_and_cannot_come_later(
    http: requests.Session, storage_url: str, bucket: str
) -> None:
    settings = {"name": "tree", "hierarchicalNamespace": {"enabled": True}}
    assert http.post(f"{storage_url}/storage/v1/b?project=p1", json=settings).status_code == 400
    assert http.patch(bucket, json={"hierarchicalNamespace": {"enabled": True}}).status_code == 400
    assert http.get(f"{bucket}/folders").status_code == 409


def test_a_batch_answers_each_call(http: requests.Session, storage_url: str, bucket: str) -> None:
    put(http, bucket, "a b")
    calls = [
        "DELETE /storage/v1/b/models/o/a%20b",
        "DELETE /storage/v1/b/models/o/a%20b",
        "GET /storage/v1/b/models",
    ]
    parts = [f"--x\r\nContent-Type: application/http\r\n\r\n{call} HTTP/1.1\r\n\r\n\r\n" for call in calls]
    answer = http.post(
        f"{storage_url}/batch/storage/v1",
        data="".join(parts) + "--x--",
        headers={"Content-Type": 'multipart/mixed; boundary="x"'},
    )
    statuses = [line.split()[1] for line in answer.text.splitlines() if line.startswith("HTTP/1.1")]
    assert statuses == ["204", "404", "200"]


def test_the_xml_api_reads_and_writes_an_object(
    http: requests.Session, storage_url: str, bucket: str
) -> None:
    url = f"{storage_url}/models/folder/a"
    assert http.put(url, data=b"hello", headers={"Content-Type": "text/x-a"}).ok
    assert http.head(url).headers["Content-Length"] == "5"
    assert http.get(url, headers={"Range": "bytes=1-2"}).content == b"el"
    assert http.delete(url).status_code == 204
    assert "<Code>NoSuchKey</Code>" in http.get(url).text
    assert "<Code>NoSuchBucket</Code>" in http.get(f"{storage_url}/missing/a").text


def test_a_cluster_sees_the_files(http: requests.Session, bucket: str, tmp_path: Path) -> None:
    for name in ("model/config.json", "model/", "other/x"):
        put(http, bucket, name, name.encode())
    database = Database(tmp_path / "cloud" / "documents.sqlite")
    view = View(Catalogue(database), Blobs(tmp_path / "cloud" / "storage"))
    assert (view.bucket_exists("models"), view.bucket_exists("missing")) == (True, False)
    files = view.files("models", "model/")
    database.close()
    assert {name: path.read_bytes() for name, path in files.items()} == {
        "model/config.json": b"model/config.json"
    }
