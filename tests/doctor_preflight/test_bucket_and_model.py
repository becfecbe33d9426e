"""P8 to P10."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.doctor_preflight.patient import facts

BUCKET = "rehearsal-models"
FOLDER = "gpt-oss-tiny"
SHARD = f"{FOLDER}/model-00001-of-00014.safetensors"
INDEX = f"{FOLDER}/model.safetensors.index.json"


def make_bucket(patient, **fields: Any) -> None:
    uniform = {"uniformBucketLevelAccess": {"enabled": True}, "publicAccessPrevention": "enforced"}
    wanted = {
        "name": BUCKET,
        "location": "us-central1",
        "iamConfiguration": uniform,
        "hierarchicalNamespace": {"enabled": True},
    }
    answer = patient.cloud.ask("POST", "/storage/v1/b?project=rehearsal-project", wanted | fields)
    assert answer.ok, answer.text


@contextmanager
def without(patient, name: str, instead: bytes | None = None) -> Iterator[None]:
    """The bucket without an object, or with another in its place; it is put back at the end."""
    with patient.context() as context:
        storage = context.connections.file_system
        path = f"{BUCKET}/{name}"
        content = storage.cat_file(path)
        metadata = storage.info(path)["metadata"]
        if instead is None:
            storage.rm_file(path)
        else:
            storage.pipe_file(path, instead)
        yield
        with storage.open(path, "wb", metadata=metadata) as file:
            file.write(content)


def test_no_bucket_is_no_fault(patient):
    assert facts(patient.findings("P8")) == [("ok", "there is no bucket yet: 3.1 makes it")]
    assert facts(patient.findings("P9")) == [("ok", "there is no bucket yet: 3.2.3 moves the model")]
    assert facts(patient.findings("P10")) == [("ok", "there is no bucket yet: 3.3 grants the role on it")]


def test_a_bucket_as_3_1_makes_it(equipped):
    assert facts(equipped.findings("P8")) == [
        (
            "ok",
            "rehearsal-models is in us-central1, uniform access;"
            " what is deleted is kept, and billed, for 7 more days",
        )
    ]


def test_a_bucket_without_soft_delete_says_nothing_of_it(patient):
    make_bucket(patient, softDeletePolicy={"retentionDurationSeconds": "0"})
    assert patient.finding("P8").fact == "rehearsal-models is in us-central1, uniform access"


def test_a_bucket_in_another_region_fails(patient):
    make_bucket(patient, location="europe-west4")
    assert facts(patient.findings("P8")) == [
        ("failed", "rehearsal-models is in europe-west4, not in us-central1"),
        (
            "warning",
            "rehearsal-models is in europe-west4, the TPU nodes are in us-central1: the model loads slowly,"
            " and the traffic costs",
        ),
    ]


@pytest.mark.parametrize("location", ["us", "nam4"])
def test_a_multi_region_that_holds_the_region_will_do(patient, location):
    make_bucket(patient, location=location, hierarchicalNamespace={"enabled": False})
    looked = patient.with_settings(f"bucket.location={location}", "bucket.hierarchical_namespace=false")
    assert [finding.verdict for finding in looked.findings("P8")] == ["ok"]


def test_access_control_lists_and_flat_folders_are_warned_about(patient):
    make_bucket(patient, iamConfiguration={}, hierarchicalNamespace={"enabled": False})
    looked = patient.with_settings("bucket.hierarchical_namespace=true")
    assert facts(looked.findings("P8")) == [
        ("warning", "rehearsal-models has access control lists: Pods cannot be let in by IAM alone"),
        ("warning", "rehearsal-models has no real folders, and cannot get them"),
    ]


def test_an_empty_bucket_waits_for_the_model(patient):
    make_bucket(patient)
    assert facts(patient.findings("P9")) == [
        ("ok", "gs://rehearsal-models/gpt-oss-tiny/ is empty: 3.2.3 moves what is missing")
    ]


def test_a_complete_model(equipped):
    found = equipped.finding("P9")
    assert found.verdict == "ok"
    assert found.fact.startswith("gs://rehearsal-models/gpt-oss-tiny/ is complete: 25 objects")


def test_a_shard_that_is_gone_is_named(equipped):
    with without(equipped, SHARD):
        found = equipped.finding("P9")
    assert found.verdict == "failed"
    assert (
        found.fact.count("model-00001-of-00014.safetensors is missing") == 2
    )  # in the manifest and the index
    assert found.remedy == "`inv step 3.2.3` moves it anew"


def test_a_shard_that_is_too_short_is_named(equipped):
    with without(equipped, SHARD, b"half"):
        found = equipped.finding("P9")
    assert found.verdict == "failed"
    assert "model-00001-of-00014.safetensors has another size" in found.fact
    assert "the weights have" in found.fact


def test_an_index_that_names_another_shard_is_not_complete(equipped):
    other = json.dumps(
        {"metadata": {"total_size": 1}, "weight_map": {"a": "model-00016-of-00016.safetensors"}}
    )
    with without(equipped, INDEX, other.encode()):
        fact = equipped.finding("P9").fact
    assert "model-00016-of-00016.safetensors is missing" in fact


def test_an_index_that_is_no_json_is_told(equipped):
    with without(equipped, INDEX, b"<html>"):
        assert "model.safetensors.index.json cannot be read" in equipped.finding("P9").fact


def test_the_grant(equipped):
    assert facts(equipped.findings("P10")) == [
        ("ok", "ServiceAccount default/default has roles/storage.objectViewer")
    ]


def test_a_grant_that_is_yet_to_be_made(equipped):
    other = equipped.with_settings("kube.service_account=vllm")
    assert facts(other.findings("P10")) == [
        ("ok", "ServiceAccount default/vllm has no role yet: 3.3 grants roles/storage.objectViewer")
    ]


def test_a_grant_that_is_weaker_than_wanted_is_none(equipped):
    writing = equipped.with_settings("bucket.role=roles/storage.objectUser")
    assert "has no role" in writing.finding("P10").fact


def test_a_server_without_its_grant_fails(equipped, prepared):
    prepared.deploy()
    assert equipped.finding("P10").verdict == "ok"
    outcome = prepared.apply("storage.iam_member", state="absent")
    assert outcome.error is None
    found = equipped.finding("P10")
    assert (found.verdict, found.remedy) == ("failed", "`inv step 3.3`")
    assert "its mount fails with 403" in found.fact
    assert prepared.apply("storage.iam_member").error is None
