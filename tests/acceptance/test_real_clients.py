"""What the line made is real to others: the real gcloud, kubectl and hf see it."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

pytestmark = [pytest.mark.clients, pytest.mark.slow]


def need(program: str) -> str:
    """Find a real client, or skip loudly."""
    path = os.environ.get(f"RUNBOOK_TEST_{program.upper()}") or shutil.which(program)
    if not path:
        pytest.skip(f"the real {program} is not on this machine: nothing was tested with it")
    return path


@pytest.fixture(scope="module")
def shell(converged):
    """A shell with the exports of `inv rehearsal.env`."""
    exports = converged.exports()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CLOUDSDK")}

    def run(program: str, *words: str) -> str:
        done = subprocess.run(
            [need(program), *words],
            env=environ | exports | {"HOME": str(converged.home)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_gcloud_describes_the_cluster_and_the_node_pool(shell):
    described = shell("gcloud", "container", "clusters", "describe", "rehearsal", "--location=us-central1")
    assert "status: RUNNING" in described
    assert "workloadPool: rehearsal-project.svc.id.goog" in described
    pool = shell(
        "gcloud", "container", "node-pools", "describe", "tpu7x-pool",
        "--cluster=rehearsal", "--location=us-central1",
    )  # fmt: skip
    assert "machineType: tpu7x-standard-4t" in pool
    assert "mode: GKE_METADATA" in pool


def test_gcloud_lists_the_model(shell):
    listed = shell("gcloud", "storage", "ls", "-l", "gs://rehearsal-models/gpt-oss-tiny/")
    assert "model-00014-of-00014.safetensors" in listed
    assert "original/" not in listed


def test_kubectl_gets_what_was_deployed(shell):
    got = shell("kubectl", "get", "nodes,deployment,pods,pvc,pv,svc")
    assert "deployment.apps/vllm-tpu   1/1" in got
    for text in ("Ready", "Running", "Bound", "ClusterIP"):
        assert text in got


def test_kubectl_reads_the_log(shell):
    assert "Application startup complete." in shell("kubectl", "logs", "deployment/vllm-tpu")


def test_hf_downloads_a_file(shell, tmp_path):
    shell("hf", "download", "rehearsal/gpt-oss-tiny", "config.json", "--local-dir", str(tmp_path))
    assert '"gpt_oss"' in (tmp_path / "config.json").read_text()
