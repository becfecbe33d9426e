"""D36 and D37: the chat's vocabulary and the compiled programs lie in the bucket, where variables say so."""

from __future__ import annotations

from typing import Any

import pytest

from runbook.config.load import load
from runbook.engine.errors import MissingError, VariableError
from runbook.engine.outcome import Status
from runbook.steps.kube.templates import parse, render
from tests.manifests.conftest import ROOT, Objects, values
from tests.steps_kube.deployment_place import RENDERED, SERVER, Place

WRITER = "bucket.role=roles/storage.objectUser"
CACHE = "server.compilation_cache=xla-cache"
VOCABULARY = "server.vocabulary=vocabulary"


def server_environment(*settings: str) -> dict[str, Any]:
    path = ROOT / "manifests" / "vllm-tpu.yaml.j2"
    objects: Objects = {item["kind"]: item for item in parse(render(path, values(*settings)), path)}
    (container,) = objects["Deployment"]["spec"]["template"]["spec"]["containers"]
    mount = next(item for item in container["volumeMounts"] if item["name"] == "model-vol")
    assert not mount.get("readOnly")
    return {item["name"]: item.get("value") for item in container["env"]}


def error_of(*settings: str) -> VariableError:
    with pytest.raises(VariableError) as caught:
        load(ROOT, "rehearsal", settings, {})
    return caught.value


def put(place: Place, name: str) -> None:
    """Put an object into the model's folder, as a person or the server would."""
    variables = place.loaded.variables
    path = f"/upload/storage/v1/b/{variables.bucket.name}/o?uploadType=media"
    name = f"{variables.checkpoint.folder}/{name}"
    answer = place.cloud.ask("POST", f"{path}&name={name.replace('/', '%2F')}", {"compiled": name})
    assert answer.ok, answer.text


def take_away(place: Place, name: str) -> None:
    variables = place.loaded.variables
    name = f"{variables.checkpoint.folder}/{name}".replace("/", "%2F")
    assert place.cloud.ask("DELETE", f"/storage/v1/b/{variables.bucket.name}/o/{name}").ok


def test_d37_without_the_variable_each_start_compiles_as_the_guides_does() -> None:
    assert "VLLM_XLA_CACHE_PATH" not in server_environment()


def test_d37_the_cache_lies_in_the_mounted_folder() -> None:
    environment = server_environment(CACHE, WRITER)
    assert environment["VLLM_XLA_CACHE_PATH"] == "/model-vol-mount/$(MODEL_FOLDER_PATH)/xla-cache"


def test_d37_a_role_that_may_only_read_is_an_error() -> None:
    error = error_of(CACHE)
    assert "roles/storage.objectViewer may only read" in error.message
    assert error.remedy == "set bucket.role to roles/storage.objectUser"


def test_d37_a_variable_that_the_manifest_writes_is_not_written_twice() -> None:
    message = str(error_of(CACHE, WRITER, "server.env.VLLM_XLA_CACHE_PATH=/cache"))
    assert "server.env.VLLM_XLA_CACHE_PATH is written by the manifest itself" in message


def test_d37_what_the_server_compiled_does_not_start_it_anew(place: Place) -> None:
    cached = place.with_settings(CACHE, WRITER)
    cached.deploy()
    put(cached, "xla-cache/program")
    try:
        render_, apply = cached.line(("kube.render", RENDERED), ("kube.apply", SERVER), check=True)
        assert (render_.status, apply.status) == (Status.OK, Status.OK)
    finally:
        take_away(cached, "xla-cache/program")


def test_d36_chat_finds_its_vocabulary_in_the_mounted_folder() -> None:
    environment = server_environment(VOCABULARY)
    assert environment["TIKTOKEN_ENCODINGS_BASE"] == "/model-vol-mount/$(MODEL_FOLDER_PATH)/vocabulary"
    assert "TIKTOKEN_ENCODINGS_BASE" not in server_environment()


def test_d36_private_nodes_without_it_are_warned_of() -> None:
    private = ("cluster.private_nodes=true", "model=gpt-oss-120b")
    told = [str(warning) for warning in load(ROOT, "rehearsal", private, {}).warnings]
    assert [text for text in told if "server.vocabulary is not set" in text]
    told = [str(warning) for warning in load(ROOT, "rehearsal", (*private, VOCABULARY), {}).warnings]
    assert not [text for text in told if "server.vocabulary" in text]


def test_d36_a_vocabulary_that_is_not_there_is_told_before_the_server_starts(place: Place) -> None:
    told = place.with_settings(VOCABULARY)
    error = told.check("kube.apply", **SERVER).error
    assert isinstance(error, MissingError)
    address = "gs://rehearsal-models/gpt-oss-tiny/vocabulary/o200k_base.tiktoken"
    assert address in error.message
    assert str(error.remedy).endswith(f"| gcloud storage cp - {address}")


def test_d36_with_the_vocabulary_the_server_comes_up(place: Place) -> None:
    told = place.with_settings(VOCABULARY)
    put(told, "vocabulary/o200k_base.tiktoken")
    try:
        assert told.deploy().status is Status.CHANGED
    finally:
        take_away(told, "vocabulary/o200k_base.tiktoken")
