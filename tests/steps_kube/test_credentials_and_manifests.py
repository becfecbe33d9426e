"""4.1 and 4.2: the files of .runs/ENVIRONMENT/, as kubectl finds them."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from runbook.clients.kube import kubeconfig
from runbook.clients.kube.kubeconfig import Entry
from runbook.engine.errors import CredentialsError, MissingError
from runbook.engine.outcome import Status
from tests.steps_kube.deployment_place import RENDERED, Place, prepared_in

CONTEXT = "gke_rehearsal-project_us-central1_rehearsal"


@pytest.fixture
def files(prepared: Place) -> Iterator[Place]:
    """No file is there yet."""
    folder = prepared.home / ".runs" / "rehearsal"
    shutil.rmtree(folder, ignore_errors=True)
    yield prepared.with_settings()
    shutil.rmtree(folder, ignore_errors=True)


def written(place: Place) -> Path:
    return place.home / ".runs" / "rehearsal" / "kubeconfig"


def test_the_entry_is_written_for_the_owner_only(files: Place) -> None:
    changed = files.converges("kube.credentials")
    parts = [path.rpartition(" ")[2] for path in changed]
    assert parts == [f"clusters[{CONTEXT}]", f"users[{CONTEXT}]", f"contexts[{CONTEXT}]", "current-context"]
    assert stat.S_IMODE(written(files).stat().st_mode) == 0o600
    assert files.cloud.token.strip() not in written(files).read_text()


def test_other_entries_stay(files: Place) -> None:
    theirs = Entry("theirs", "https://203.0.113.7", "PEM", None)
    kubeconfig.write(written(files), kubeconfig.merged({}, theirs))
    files.converges("kube.credentials")
    config = YAML(typ="safe").load(written(files).read_text())
    assert [item["name"] for item in config["contexts"]] == ["theirs", CONTEXT]
    assert config["current-context"] == CONTEXT
    assert config["users"][0]["user"]["exec"]["command"] == "gke-gcloud-auth-plugin"


AMBIGUOUS = ("yes", "no", "on", "Off", "y", "N", "true", "~", "0123", "0o17", "1_000", "0x1F", "1e3", "12:30")


@pytest.fixture
def with_ambiguous_values(files: Place) -> Path:
    """Somebody's file, whose user hands a plug-in values that are no strings without their quotes."""
    values = [{"name": f"A{number}", "value": value} for number, value in enumerate(AMBIGUOUS)]
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "kubelogin",
        "interactiveMode": "Never",
        "env": values,
    }
    content = {"apiVersion": "v1", "kind": "Config", "users": [{"name": "theirs", "user": {"exec": plugin}}]}
    written(files).parent.mkdir(parents=True, exist_ok=True)
    written(files).write_text(json.dumps(content))
    return written(files)


def test_what_yaml_1_1_reads_otherwise_is_written_in_quotes(
    files: Place, with_ambiguous_values: Path
) -> None:
    files.converges("kube.credentials")
    config = YAML(typ="safe", pure=True)
    config.version = "1.1"
    user = config.load(with_ambiguous_values.read_text())["users"][0]["user"]
    assert tuple(item["value"] for item in user["exec"]["env"]) == AMBIGUOUS


@pytest.mark.clients
@pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not on this machine")
def test_kubectl_reads_what_was_written(files: Place, with_ambiguous_values: Path) -> None:
    files.converges("kube.credentials")
    command = ["kubectl", "config", "view", "--output=json", f"--kubeconfig={with_ambiguous_values}"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    users = {item["name"]: item["user"] for item in json.loads(ended.stdout)["users"]}
    assert tuple(item["value"] for item in users["theirs"]["exec"]["env"]) == AMBIGUOUS


def test_booleans_are_read_as_kubectl_reads_them_and_stay_booleans(files: Place) -> None:
    path = written(files)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("clusters: [{name: a, cluster: {insecure-skip-tls-verify: no, server: 12:30}}]")
    files.converges("kube.credentials")
    (cluster, _) = kubeconfig.read(path)["clusters"]
    assert cluster["cluster"] == {"insecure-skip-tls-verify": False, "server": "12:30"}


def test_a_link_still_leads_to_the_file(files: Place, tmp_path: Path) -> None:
    target = tmp_path / "config"
    target.write_text("apiVersion: v1\n")
    written(files).parent.mkdir(parents=True, exist_ok=True)
    written(files).symlink_to(target)
    files.converges("kube.credentials")
    assert written(files).is_symlink()
    assert kubeconfig.read(target)["current-context"] == CONTEXT
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_an_address_that_has_changed_is_named_alone(files: Place) -> None:
    files.converges("kube.credentials")
    config = kubeconfig.read(written(files))
    config["clusters"][0]["cluster"]["server"] = "https://203.0.113.7"
    kubeconfig.write(written(files), config)
    (changed,) = files.converges("kube.credentials")
    assert changed.endswith(f"clusters[{CONTEXT}]")


@pytest.mark.clients
def test_kubectl_reaches_the_cluster_with_it(files: Place) -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not on the PATH")
    files.converges("kube.credentials")
    ended = subprocess.run(
        ["kubectl", "get", "nodes", "-o", "name"],
        env=os.environ | {"KUBECONFIG": str(written(files)), "HOME": str(files.home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("node/")


def test_any_cluster_of_a_kubeconfig_file_will_do(files: Place) -> None:
    files.converges("kube.credentials")
    other = files.with_settings("provider=kubeconfig", f"kube.kubeconfig={written(files)}")
    outcome = other.apply("kube.credentials")
    assert outcome.status is Status.OK
    assert "leads to https://127.0.0.1" in outcome.reason


def test_a_login_plug_in_that_is_missing_is_named(files: Place, tmp_path: Path) -> None:
    path = tmp_path / "config"
    config = kubeconfig.merged({}, Entry("theirs", "https://203.0.113.7", None, None))
    config["users"][0]["user"]["exec"]["command"] = "no-such-plugin"
    kubeconfig.write(path, config)
    other = files.with_settings("provider=kubeconfig", f"kube.kubeconfig={path}")
    error = other.apply("kube.credentials").error
    assert isinstance(error, CredentialsError)
    assert "no-such-plugin" in error.message


def test_without_a_cluster_the_step_that_makes_it_is_named(empty: Place) -> None:
    error = empty.apply("kube.credentials").error
    assert isinstance(error, MissingError)
    assert error.supplied_by == "gke.cluster"


def test_the_manifest_is_written_and_an_edit_by_hand_taken_back(files: Place) -> None:
    (path,) = files.converges("kube.render", **RENDERED)
    file = files.home / ".runs" / "rehearsal" / "vllm-tpu.yaml"
    assert path.endswith("vllm-tpu.yaml")
    file.write_text(file.read_text().replace("replicas: 1", "replicas: 7"))
    files.converges("kube.render", **RENDERED)
    assert "replicas: 1\n" in file.read_text()


def test_other_bytes_in_the_bucket_give_another_manifest(tmp_path: Path) -> None:
    with prepared_in(tmp_path) as place:
        place.converges("kube.render", **RENDERED)
        bucket = place.loaded.variables.bucket.name
        name = f"{place.loaded.variables.checkpoint.folder}%2Fconfig.json"
        answer = place.cloud.session.post(
            f"{place.cloud.endpoints['google']}/upload/storage/v1/b/{bucket}/o?uploadType=media&name={name}",
            data=b"{}",
            headers={"Authorization": f"Bearer {place.cloud.token}"},
            timeout=10,
        )
        assert answer.ok, answer.text
        place.converges("kube.render", **RENDERED)
        upload, render = place.line(("model.upload", {}), ("kube.render", RENDERED), check=True)
        assert upload.status is Status.WOULD_CHANGE
        assert render.status is Status.WOULD_CHANGE
