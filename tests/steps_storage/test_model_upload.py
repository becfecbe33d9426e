"""Section 3.2.3: the model from the hub's stand-in to the bucket's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runbook.engine.errors import FailedError, PassingError, RefusedError
from runbook.engine.outcome import Status
from tests.steps_gke.workplace import Workplace, paths, variables_with


@pytest.fixture
def filled(work: Workplace) -> Workplace:
    """Give a workplace whose bucket holds the model."""
    assert work.apply("storage.bucket", "model.upload").status is Status.CHANGED
    return work


def objects_of(work: Workplace) -> dict[str, dict[str, Any]]:
    """The bucket's objects by their path in the model's folder."""
    folder = work.variables.checkpoint.folder + "/"
    listing = work.cloud.get(f"/storage/v1/b/{work.variables.bucket.name}/o?prefix={folder}")
    return {item["name"].removeprefix(folder): item for item in listing.get("items", [])}


def object_path(work: Workplace, name: str) -> str:
    folder = work.variables.checkpoint.folder
    return f"/storage/v1/b/{work.variables.bucket.name}/o/{folder}%2F{name}"


def address(work: Workplace, name: str) -> str:
    return f"gs://{work.variables.bucket.name}/{work.variables.checkpoint.folder}/{name}"


def test_the_model_is_moved_without_the_copies_that_nobody_serves(work: Workplace) -> None:
    work.apply("storage.bucket")
    (change,) = work.converges("model.upload")
    held = objects_of(work)
    assert {"config.json", "tokenizer.json", "model.safetensors.index.json"} < set(held)
    assert not [name for name in held if name.startswith(("original/", "metal/"))]
    assert len(change.differences) == len(held)
    assert change.command[:2] == ("sh", "-c") or list(change.command[:2]) == ["sh", "-c"]


def test_the_index_and_its_shards_agree(filled: Workplace) -> None:
    held = objects_of(filled)
    index = filled.cloud.get(object_path(filled, "model.safetensors.index.json") + "?alt=media")
    assert set(index["weight_map"].values()) <= set(held)


def test_a_model_that_is_there_costs_one_listing_and_one_call_to_the_hub(filled: Workplace) -> None:
    before = len(filled.requests())
    assert filled.check("model.upload").status is Status.OK
    asked = filled.requests()[before:]
    assert [path.partition("?")[0] for path in asked] == [
        "GET /api/models/rehearsal/gpt-oss-tiny/revision/main",
        f"GET /storage/v1/b/{filled.variables.bucket.name}/o",
    ]


def test_an_object_that_is_gone_is_named_and_moved_alone(filled: Workplace) -> None:
    assert filled.cloud.ask("DELETE", object_path(filled, "config.json")).ok
    before = len(filled.writes())
    (change,) = filled.converges("model.upload")
    assert paths([change]) == [address(filled, "config.json")]
    assert not [write for write in filled.writes()[before:] if "safetensors" in write]


def test_an_object_with_other_bytes_is_named_and_replaced(filled: Workplace) -> None:
    bucket, folder = filled.variables.bucket.name, filled.variables.checkpoint.folder
    path = f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name={folder}/tokenizer.json"
    assert filled.cloud.ask("POST", path, {"other": "bytes"}).ok
    (change,) = filled.converges("model.upload")
    assert paths([change]) == [address(filled, "tokenizer.json")]


def test_other_bytes_under_the_recorded_hash_are_found_by_their_checksum(filled: Workplace) -> None:
    held = objects_of(filled)["LICENSE"]
    bucket, folder = filled.variables.bucket.name, filled.variables.checkpoint.folder
    started = filled.cloud.ask(
        "POST",
        f"/upload/storage/v1/b/{bucket}/o?uploadType=resumable&name={folder}/LICENSE",
        {"name": f"{folder}/LICENSE", "metadata": held["metadata"]},
    )
    content = b"x" * int(held["size"])
    headers = {"Authorization": f"Bearer {filled.cloud.token}"}
    assert filled.cloud.session.put(started.headers["Location"], data=content, headers=headers).ok
    (change,) = filled.converges("model.upload")
    assert paths([change]) == [address(filled, "LICENSE")]
    assert "crc32c" in change.differences[0].before


def test_a_manifest_that_is_gone_is_written_again_without_moving_a_file(filled: Workplace) -> None:
    assert filled.cloud.ask("DELETE", object_path(filled, ".runbook-manifest.json")).ok
    (change,) = filled.converges("model.upload")
    assert paths([change]) == [address(filled, ".runbook-manifest.json")]


def test_a_manifest_that_nobody_can_read_is_written_again(filled: Workplace) -> None:
    bucket, folder = filled.variables.bucket.name, filled.variables.checkpoint.folder
    path = f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name={folder}/.runbook-manifest.json"
    assert filled.cloud.ask("POST", path, ["no manifest"]).ok
    (change,) = filled.converges("model.upload")
    assert paths([change]) == [address(filled, ".runbook-manifest.json")]


def test_the_manifest_lists_every_file_with_its_hash(filled: Workplace) -> None:
    manifest = filled.cloud.get(object_path(filled, ".runbook-manifest.json") + "?alt=media")
    assert {entry["path"] for entry in manifest["files"]} == set(objects_of(filled)) - {
        ".runbook-manifest.json"
    }
    assert json.dumps(manifest).count("sha256:") == sum(
        name.endswith(".safetensors") or name == "tokenizer.json" for name in objects_of(filled)
    )


def test_progress_is_told_up_to_the_last_byte(filled: Workplace) -> None:
    ends = {name for name, done, total, _ in filled.voice.transfers if done == total}
    assert "config.json" in ends


@pytest.mark.parametrize("kind", ["reset", "truncate"])
def test_a_connection_that_breaks_is_taken_up_again(work: Workplace, kind: str) -> None:
    work.apply("storage.bucket")
    work.cloud.control("POST", "faults", {"kind": kind, "api": "cdn", "bytes": 1000, "times": 3})
    assert work.apply("model.upload").status is Status.CHANGED
    assert work.check("model.upload").status is Status.OK


def test_a_hub_that_is_busy_is_asked_again(work: Workplace) -> None:
    work.apply("storage.bucket")
    work.cloud.control("POST", "faults", {"api": "hub", "status": 503, "times": 2})
    work.cloud.control("POST", "faults", {"api": "cdn", "status": 429, "times": 2, "retry_after": 1})
    assert work.apply("model.upload").status is Status.CHANGED


def test_a_bucket_that_stumbles_is_asked_again(work: Workplace) -> None:
    work.apply("storage.bucket")
    work.cloud.control("POST", "faults", {"api": "storage", "method": "PUT", "status": 503, "times": 2})
    assert work.apply("model.upload").status is Status.CHANGED


def test_a_model_that_the_hub_does_not_have_is_told(work: Workplace) -> None:
    work.variables = variables_with(
        f"bucket.name={work.variables.bucket.name}", "checkpoint.repository=nobody/nothing"
    )
    work.apply("storage.bucket")
    outcome = work.checked_without_a_write("model.upload")
    assert isinstance(outcome.error, RefusedError)
    assert str(outcome.error.place).startswith("GET http")


def test_what_was_moved_before_a_failure_is_not_moved_again(work: Workplace) -> None:
    work.apply("storage.bucket")
    fault = {"api": "hub", "path": "/resolve/.*/tokenizer.json", "status": 404, "times": 100}
    work.cloud.control("POST", "faults", fault)
    assert isinstance(work.apply("model.upload").error, RefusedError | FailedError | PassingError)
    assert "tokenizer.json" not in objects_of(work)
    assert ".runbook-manifest.json" not in objects_of(work)
    work.cloud.control("DELETE", "faults")
    (change,) = work.converges("model.upload")
    moved = {address(work, "tokenizer.json"), address(work, ".runbook-manifest.json")}
    assert set(paths([change])) == moved


def test_the_operators_interruption_leaves_no_half_object(work: Workplace) -> None:
    work.apply("storage.bucket")

    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    work.pause = interrupt
    with pytest.raises(KeyboardInterrupt):
        work.apply("model.upload")
    assert ".runbook-manifest.json" not in objects_of(work)
