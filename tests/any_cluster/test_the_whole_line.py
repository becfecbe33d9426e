"""`inv deploy smoke --env mycluster`: a cluster that somebody else made, by a kubeconfig with a plug-in."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from runbook.clients.kube import kubeconfig
from tests.acceptance.conftest import ROOT, Operator
from tests.any_cluster.by_hand import Handwritten

SKIPPED = "provider is kubeconfig: the cluster is used as it is"


@dataclass(frozen=True)
class Lab:
    """Somebody's own cluster, and who runs the runbook there.

    Args:
        operator: in a copy of the repository that has the environment mycluster.
        written: the kubeconfig file.
    """

    operator: Operator
    written: Handwritten


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Have a rehearsal set up; its cluster and bucket are then used as anybody's."""
    root = tmp_path_factory.mktemp("copy")
    for name in ("playbooks", "manifests", "vars", "runbook", "rehearsal"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("tasks.py", "invoke.yaml"):
        shutil.copy(ROOT / name, root / name)
    owner = Operator(root, {}, root=root)
    ended = owner.inv("setup", "step", "4.1")
    assert ended.code == 0, ended.out + ended.error
    endpoints = json.loads((root / ".rehearsal" / "endpoints.json").read_text())
    own = kubeconfig.read(root / ".runs" / "rehearsal" / "kubeconfig")
    token = Path(endpoints["token_file"]).read_text().strip()
    written = Handwritten(tmp_path_factory.mktemp("lab"), dict(own["clusters"][0]["cluster"]), token)
    file = written.file(written.plugin({"status": {"token": token}}))
    _write_environment(root, file, endpoints["token_file"])
    outside = {"STORAGE_EMULATOR_HOST": endpoints["google"], "KUBECONFIG": "", "CLOUDSDK_CONFIG": str(root)}
    yield Lab(Operator(root, outside, root=root), written)
    owner.inv("rehearsal.down")


def _write_environment(root: Path, file: Path, token_file: str) -> None:
    rehearsal = YAML(typ="safe").load((root / "vars" / "envs" / "rehearsal.yml").read_text())
    kept = {key: value for key, value in rehearsal.items() if key not in {"provider", "rehearsal", "cluster"}}
    content = kept | {
        "provider": "kubeconfig",
        "kube": {"kubeconfig": str(file), "context": "lab"},
        "credentials": {"source": "token-file", "token_file": token_file},
    }
    (root / "vars" / "envs" / "mycluster.yml").write_text(json.dumps(content))


def test_deploy_and_smoke_work_on_it(lab: Lab) -> None:
    planned = lab.operator.inv("deploy", "smoke", "--env", "mycluster", "--check")
    assert planned.code == 2, planned.out + planned.error
    ended = lab.operator.inv("deploy", "smoke", "--env", "mycluster")
    assert ended.code == 0, ended.out + ended.error
    assert {section: ended.status(section) for section in ("4.1", "4.2", "4.3", "4.4", "4.5")} == {
        "4.1": "ok",
        "4.2": "changed",
        "4.3": "changed",
        "4.4": "ok",
        "4.5": "ok",
    }
    assert len(lab.written.runs()) == 2  # once a line


def test_the_sections_of_gke_are_skipped_with_that_reason(lab: Lab) -> None:
    ended = lab.operator.inv("step", "2.2,2.3.1,2.4", "--env", "mycluster")
    assert ended.code == 0, ended.out + ended.error
    assert {section: ended.status(section) for section in ("2.2", "2.3.1", "2.4")} == dict.fromkeys(
        ("2.2", "2.3.1", "2.4"), "skipped"
    )
    assert SKIPPED in ended.out


def test_a_plug_in_that_fails_ends_the_line_with_its_own_words(lab: Lab) -> None:
    failing = lab.written.plugin({"code": 1, "error": "session has expired: run lab-login\n", "out": ""})
    lab.written.file(failing)
    ended = lab.operator.inv("deploy", "--env", "mycluster")
    assert ended.code == 1
    assert "plug-in ./plugin ended with exit code 1: session has expired: run lab-login" in (
        ended.out + ended.error
    )
    assert "Traceback" not in ended.out + ended.error
