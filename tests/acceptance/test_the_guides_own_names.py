"""The guide's variables at their true values: the example environment, filled in, on the rehearsal."""

from __future__ import annotations

import shutil

import pytest

from tests.acceptance.conftest import ROOT, Operator, sections

pytestmark = pytest.mark.slow

NAMES = {
    "provider: gke": "provider: rehearsal",
    "<YOUR_PROJECT_ID>": "acme-inference",
    "<YOUR_REGION>": "us-central1",
    "<YOUR_ZONE>": "us-central1-c",
    "<YOUR_CLUSTER_NAME>": "ironwood",
    "<YOUR_NODEPOOL_NAME>": "tpu7x",
    "<YOUR_RESERVATION_NAME>": "acme-reservation",
    "<YOUR_BUCKET>": "acme-models",
}
LINE = ("setup", "deploy", "smoke", "bench", "--env", "acme")


@pytest.fixture
def acme(tmp_path):
    """An operator whose environment is the filled-in example."""
    for name in ("playbooks", "manifests", "vars", "runbook", "rehearsal"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("tasks.py", "invoke.yaml"):
        shutil.copy(ROOT / name, tmp_path / name)
    text = (tmp_path / "vars" / "envs" / "gke.example.yml").read_text()
    for placeholder, name in NAMES.items():
        text = text.replace(placeholder, name)
    (tmp_path / "vars" / "envs" / "acme.yml").write_text(text)
    operator = Operator(tmp_path, {}, root=tmp_path)
    yield operator
    operator.inv("rehearsal.down", "--env", "acme")


def test_the_line_plans_and_applies_every_section_of_the_guide(acme):
    planned = acme.inv(*LINE, "--check")
    assert planned.code == 2, planned.out + planned.error
    assert acme.writes() == []
    done = acme.inv(*LINE, "--set", "bench.num_prompts=8", "--set", "smoke.local_port=0")
    assert done.code == 0, done.out + done.error
    for section in sections(("setup", "deploy", "smoke", "bench")):
        assert done.status(section) in {"ok", "changed"}
    for value in ("openai/gpt-oss-120b", "acme-reservation", "tpu7x-standard-4t", "ironwood"):
        assert value in done.out
    again = acme.inv("setup", "deploy", "--env", "acme", "--check")
    assert again.code == 0, again.out
