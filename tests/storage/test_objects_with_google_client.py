from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import BadRequest, Conflict, NotFound, PreconditionFailed
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

ANONYMOUS: Callable[[], Any] = AnonymousCredentials
BODY = os.urandom(3 * 1024 * 1024 + 17)


@pytest.fixture
def client(storage_url: str) -> Iterator[storage.Client]:
    options = ClientOptions(api_endpoint=storage_url)
    with storage.Client(project="p1", credentials=ANONYMOUS(), client_options=options) as client:
        yield client
        join_background_requests()


def join_background_requests() -> None:
    """Wait for the threads in which the client reads buckets' metadata, after a 404 for instance."""
    for thread in threading.enumerate():
        if "_background" in thread.name:
            thread.join()


@pytest.fixture
def bucket(client: storage.Client) -> storage.Bucket:
    return client.create_bucket("models", location="us-central1")


def test_the_emulator_variable_is_enough(storage_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", storage_url)
    with storage.Client(project="p1") as client:
        client.create_bucket("models").blob("a").upload_from_string(b"hello")
        assert client.bucket("models").blob("a").download_as_bytes() == b"hello"
        join_background_requests()


def test_an_upload_in_one_request_comes_back(bucket: storage.Bucket) -> None:
    blob = bucket.blob("folder/small file ü.bin")
    blob.metadata = {"sha256": "abc"}
    blob.upload_from_string(BODY, content_type="text/x-made-up", checksum="md5")
    again = bucket.get_blob("folder/small file ü.bin")
    assert again is not None
    assert (again.size, again.metadata, again.content_type) == (
        len(BODY),
        {"sha256": "abc"},
        "text/x-made-up",
    )
    assert again.download_as_bytes() == BODY
    assert again.download_as_bytes(start=100, end=199) == BODY[100:200]


def test_an_upload_in_chunks_comes_back(bucket: storage.Bucket) -> None:
    blob = bucket.blob("big", chunk_size=256 * 1024)
    blob.upload_from_file(io.BytesIO(BODY), size=len(BODY), checksum="crc32c")
    assert blob.download_as_bytes(checksum="crc32c") == BODY
    assert blob.crc32c is not None
    assert blob.md5_hash is not None


def test_an_upload_of_unknown_size_comes_back(bucket: storage.Bucket) -> None:
    with bucket.blob("streamed").open("wb", chunk_size=256 * 1024, if_generation_match=0) as stream:
        for start in range(0, len(BODY), 100_000):
            stream.write(BODY[start : start + 100_000])
    assert bucket.blob("streamed").download_as_bytes() == BODY


def test_creating_what_is_there_fails_the_condition(bucket: storage.Bucket) -> None:
    bucket.blob("a").upload_from_string(b"first", if_generation_match=0)
    with pytest.raises(PreconditionFailed, match="At least one of the pre-conditions"):
        bucket.blob("a").upload_from_string(b"second", if_generation_match=0)
    assert bucket.blob("a").download_as_bytes() == b"first"


def test_every_write_is_a_new_generation(bucket: storage.Bucket) -> None:
    blob = bucket.blob("a")
    blob.upload_from_string(b"1")
    first = blob.generation
    blob.upload_from_string(b"2")
    assert blob.generation > first
    with pytest.raises(PreconditionFailed):
        blob.delete(if_generation_match=first)
    blob.delete()
    assert not blob.exists()


def test_listing_shows_prefixes_and_pages(client: storage.Client, bucket: storage.Bucket) -> None:
    for name in ("a/1", "a/2", "b", "c/d/e"):
        bucket.blob(name).upload_from_string(name)
    listing = client.list_blobs(bucket, delimiter="/", page_size=1)
    assert [blob.name for blob in listing] == ["b"]
    assert listing.prefixes == {"a/", "c/"}
    assert [blob.name for blob in client.list_blobs(bucket, prefix="a/", page_size=1)] == ["a/1", "a/2"]


def test_a_bucket_shows_what_it_was_made_with(client: storage.Client) -> None:
    wanted = storage.Bucket(client, "hierarchical")
    wanted.iam_configuration.uniform_bucket_level_access_enabled = True
    wanted.hierarchical_namespace_enabled = True
    wanted.labels = {"made-by": "runbook"}
    client.create_bucket(wanted, location="us-central1")
    found = client.get_bucket("hierarchical")
    assert (found.location, found.location_type, found.storage_class) == ("US-CENTRAL1", "region", "STANDARD")
    assert found.iam_configuration.uniform_bucket_level_access_enabled
    assert found.hierarchical_namespace_enabled
    assert found.project_number


def test_a_bucket_can_be_patched(bucket: storage.Bucket) -> None:
    bucket.iam_configuration.uniform_bucket_level_access_enabled = True
    bucket.iam_configuration.public_access_prevention = "enforced"
    bucket.patch()
    bucket.reload()
    assert bucket.iam_configuration.uniform_bucket_level_access_enabled
    assert bucket.iam_configuration.public_access_prevention == "enforced"
    assert bucket.metageneration == 2


def test_bucket_names_are_unique_and_valid(client: storage.Client, bucket: storage.Bucket) -> None:
    with pytest.raises(Conflict, match="you already own it"):
        client.create_bucket("models")
    with pytest.raises(Conflict, match="shared by all users"):
        client.create_bucket("models", project="somebody-else")
    for name in ("Capitals", "goog-mine", "192.168.5.4", "a" * 64, "under_google"):
        with pytest.raises(BadRequest, match="Invalid bucket name"):
            client.create_bucket(name)
    with pytest.raises(BadRequest, match="location constraint"):
        client.create_bucket("somewhere", location="atlantis")


def test_a_missing_bucket_or_object_is_not_found(client: storage.Client, bucket: storage.Bucket) -> None:
    with pytest.raises(NotFound, match=r"The specified bucket does not exist\."):
        client.get_bucket("missing")
    with pytest.raises(NotFound, match="No such object: models/missing"):
        bucket.blob("missing").download_as_bytes()


def test_a_bucket_goes_only_when_empty(client: storage.Client, bucket: storage.Bucket) -> None:
    bucket.blob("a").upload_from_string(b"1")
    with pytest.raises(Conflict, match="not empty"):
        bucket.delete()
    bucket.blob("a").delete()
    bucket.delete()
    assert [found.name for found in client.list_buckets()] == []


def test_objects_are_copied_composed_and_renamed(bucket: storage.Bucket) -> None:
    parts = [bucket.blob(name) for name in ("1", "2")]
    for part in parts:
        part.upload_from_string(part.name * 10)
    bucket.blob("both").compose(parts)
    assert bucket.blob("both").download_as_bytes() == b"1" * 10 + b"2" * 10
    both = bucket.get_blob("both")
    assert both is not None
    assert (both.component_count, both.md5_hash) == (2, None)
    bucket.copy_blob(both, bucket, "copy")
    bucket.rename_blob(bucket.blob("copy"), "renamed")
    assert bucket.blob("renamed").download_as_bytes() == both.download_as_bytes()
    assert not bucket.blob("copy").exists()


def test_metadata_is_patched(bucket: storage.Bucket) -> None:
    blob = bucket.blob("a")
    blob.upload_from_string(b"1")
    blob.metadata = {"x": "y"}
    blob.patch()
    found = bucket.get_blob("a")
    assert found is not None
    assert (found.metadata, found.metageneration, found.generation) == ({"x": "y"}, 2, blob.generation)


def test_a_batch_deletes(client: storage.Client, bucket: storage.Bucket) -> None:
    for name in ("a", "b c"):
        bucket.blob(name).upload_from_string(name)
    with client.batch():
        bucket.blob("a").delete()
        bucket.blob("b c").delete()
    assert list(client.list_blobs(bucket)) == []
    with pytest.raises(NotFound), client.batch():
        bucket.blob("a").delete()
