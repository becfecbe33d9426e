"""A file says where a secret is kept; the secret itself prints as ***."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from runbook.config.listing import as_lines, as_records
from runbook.config.secret import Secret

TOKEN = "hf_never_to_be_seen"


def everything_shown(loaded):
    return "\n".join(
        [
            *as_lines(loaded),
            *as_lines(loaded, "hub.token"),
            json.dumps(as_records(loaded)),
            repr(loaded),
            str(loaded.tree),
        ]
    )


def test_from_an_environment_variable(repository):
    loaded = repository.load(HF_TOKEN=TOKEN)
    assert loaded.variables.hub.token == Secret(TOKEN)
    assert loaded.tree["hub"]["token"].reveal() == TOKEN
    assert TOKEN not in everything_shown(loaded)
    assert "***" in as_lines(loaded, "hub.token")[0]


def test_from_a_file_beside_the_repository_or_anywhere(repository, tmp_path):
    kept = tmp_path / "token"
    kept.write_text(f"{TOKEN}\n")
    kept.chmod(0o600)
    for path in ("token", str(kept)):
        repository.add(f"hub: {{token: {{file: {path}}}}}\n")
        loaded = repository.load()
        assert loaded.variables.hub.token == Secret(TOKEN)
        assert loaded.warnings == ()


def test_a_file_that_others_can_read_is_a_warning(repository, tmp_path):
    kept = tmp_path / "token"
    kept.write_text(TOKEN)
    kept.chmod(0o644)
    repository.add("hub: {token: {file: token}}\n")
    (warning,) = repository.load().warnings
    assert "other users can read" in str(warning)
    assert "chmod 600" in str(warning)


def test_from_the_process_environment_by_the_key_s_own_name(repository):
    loaded = repository.load(RUNBOOK_SERVER_API_KEY=TOKEN)
    assert loaded.variables.server.api_key == Secret(TOKEN)
    assert TOKEN not in everything_shown(loaded)


def test_an_optional_secret_may_be_missing(repository):
    assert repository.load().variables.hub.token is None


def test_a_secret_that_is_asked_for_must_be_there(repository):
    repository.add("server: {api_key: {env: VLLM_API_KEY}}\n")
    error = repository.error()
    assert error.message == "server.api_key: the environment variable VLLM_API_KEY is not set"
    assert str(error.place) == "vars/envs/mine.yml:8"
    repository.add("server: {api_key: {file: nowhere}}\n")
    assert "nowhere cannot be read: No such file" in repository.error().message


@pytest.mark.parametrize("said", [TOKEN, f"[{TOKEN}]", "12345"])
def test_a_file_of_variables_must_not_hold_one(repository, said):
    repository.add(f"hub:\n  token: {said}\n")
    error = repository.error()
    assert error.message == "hub.token is a secret, which does not belong here"
    assert str(error.place) == "vars/envs/mine.yml:9"
    assert TOKEN not in f"{error.message} {error.remedy}"


def test_nor_must_a_command_line(repository):
    error = repository.error(f"hub.token={TOKEN}")
    assert "does not belong here" in error.message
    assert TOKEN not in f"{error.message} {error.place} {error.remedy}"


def test_an_overridden_one_is_not_shown_either(repository):
    repository.add(f"hub: {{token: {TOKEN}}}\n")
    loaded = repository.load("hub.token={env: HF_TOKEN, optional: true}")
    assert TOKEN not in everything_shown(loaded)


@pytest.mark.parametrize(
    "source", ["{}", "{env: A, file: b}", "{env: 5}", "{vault: x}", "{env: A, optional: maybe}"]
)
def test_a_source_is_an_environment_variable_or_a_file(repository, source):
    repository.add(f"hub: {{token: {source}}}\n")
    assert repository.error().message.startswith("hub.token ")


def test_a_secret_hides_from_every_way_of_printing():
    secret = Secret(TOKEN)
    shown = [
        str(secret),
        repr(secret),
        f"{secret}",
        f"{secret:>5}",
        "{}".format(secret),  # noqa: UP032 - one of the ways
        str([secret]),
        str(copy.deepcopy(secret)),
    ]
    assert not any(TOKEN in text for text in shown)
    with pytest.raises(TypeError, match="not written anywhere"):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps({"token": secret})
