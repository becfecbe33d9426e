"""Each wrong input is one clear error with its place, before anything is sent."""

from __future__ import annotations

import shutil

import pytest

from tests.acceptance.conftest import ROOT, Operator


@pytest.fixture
def copy(tmp_path):
    """A copy of the repository that a test may break, and an operator in it."""
    for name in ("playbooks", "manifests", "vars", "runbook", "rehearsal"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("tasks.py", "invoke.yaml"):
        shutil.copy(ROOT / name, tmp_path / name)
    operator = Operator(tmp_path, {}, root=tmp_path)
    yield tmp_path, operator
    operator.inv("rehearsal.down")


def refused(ended, *texts):
    """One error with these texts, exit 1, no traceback, and no step was begun."""
    assert ended.code == 1, ended.out + ended.error
    for text in texts:
        assert text in ended.error, ended.error
    assert "Traceback" not in ended.out + ended.error
    assert ended.error.count("error:") == 1
    assert ended.out == ""


@pytest.mark.parametrize(
    ("words", "texts"),
    [
        (["--set", "clutser.name=x"], ["clutser.name", "cluster.name", "--set"]),
        (["--set", "node_pool.nodes=many"], ["node_pool.nodes", "--set"]),
        (["--set", "bucket.name=<YOUR_BUCKET>"], ["placeholder", "<YOUR_BUCKET>"]),
        (["--set", "node_pool.reservation="], ["node_pool.reservation"]),
        (["--env", "rehaersal"], ["unknown environment", "rehearsal"]),
        (["--env", "../rehearsal"], ["environment"]),
        (["--start-at", "9.9"], ["there is no step '9.9'"]),
        (["--tags", "nothing"], ["no step of the line carries these tags"]),
    ],
)
def test_a_wrong_option_is_refused(operator, words, texts):
    refused(operator.inv("setup", *words), *texts)
    assert not (operator.home / ".rehearsal").exists()


def test_an_unknown_step_offers_the_nearest(operator):
    refused(operator.inv("step", "2.3.11"), "there is no step '2.3.11'", "2.3.1")


def test_an_unknown_variable_of_the_environment_offers_the_nearest(tmp_path):
    operator = Operator(tmp_path, {"RUNBOOK_CLUSTER_NAEM": "x"})
    refused(operator.inv("setup"), "RUNBOOK_CLUSTER_NAEM", "RUNBOOK_CLUSTER_NAME")


def test_a_duplicate_key_is_named_with_both_lines(copy):
    folder, operator = copy
    path = folder / "vars" / "envs" / "rehearsal.yml"
    path.write_text(path.read_text() + "\nprovider: gke\n")
    refused(operator.inv("setup"), "vars/envs/rehearsal.yml:", "provider is already set in line 4")


def test_a_placeholder_left_in_a_file_is_named_with_its_line(copy):
    folder, operator = copy
    shutil.copy(folder / "vars" / "envs" / "gke.example.yml", folder / "vars" / "envs" / "mine.yml")
    refused(operator.inv("setup", "--env", "mine"), "vars/envs/mine.yml:", "<YOUR_PROJECT_ID>")


def test_a_broken_playbook_is_named_with_its_line(copy):
    folder, operator = copy
    path = folder / "playbooks" / "setup.yml"
    path.write_text(path.read_text().replace("uses: gke.node_pool", "uses: gke.nodepool"))
    refused(operator.inv("setup"), "playbooks/setup.yml:", "gke.nodepool", "did you mean gke.node_pool?")


def test_an_undefined_name_in_a_manifest_is_named_with_its_line(copy):
    folder, operator = copy
    path = folder / "manifests" / "vllm-tpu.yaml.j2"
    path.write_text(path.read_text() + "\n# {{ no_such_name }}\n")
    ended = operator.inv("setup", "deploy")
    assert ended.code == 1
    assert "no_such_name" in ended.out + ended.error
    assert "manifests/vllm-tpu.yaml.j2:" in ended.out + ended.error
    assert operator.writes() == []


def test_parallelism_that_does_not_fill_the_chips_is_a_warning(operator):
    ended = operator.inv("step", "2.1", "--set", "server.flags.tensor-parallel-size=4")
    assert ended.code == 0, ended.error
    assert "warning:" in ended.out
    assert "tensor-parallel-size" in ended.out


def test_gke_without_a_login_says_how_to_log_in(copy, monkeypatch):
    folder, _ = copy
    text = (folder / "vars" / "envs" / "gke.example.yml").read_text()
    names = {
        "<YOUR_PROJECT_ID>": "made-up-project",
        "<YOUR_REGION>": "us-central1",
        "<YOUR_ZONE>": "us-central1-c",
        "<YOUR_CLUSTER_NAME>": "made-up",
        "<YOUR_NODEPOOL_NAME>": "tpu",
        "<YOUR_RESERVATION_NAME>": "made-up-reservation",
        "<YOUR_BUCKET>": "made-up-bucket",
    }
    for placeholder, name in names.items():
        text = text.replace(placeholder, name)
    (folder / "vars" / "envs" / "mine.yml").write_text(text)
    operator = Operator(folder, {"CLOUDSDK_CONFIG": str(folder / "gcloud"), "HOME": str(folder)}, root=folder)
    ended = operator.inv("setup", "--env", "mine")
    assert ended.code == 1
    assert "gcloud auth login" in ended.out + ended.error
    assert "Traceback" not in ended.out + ended.error
    assert "changed=0" in ended.out
