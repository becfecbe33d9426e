from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.clients,
    pytest.mark.skipif(shutil.which("gcloud") is None, reason="no gcloud in PATH"),
]

Gcloud = Callable[..., str]


@pytest.fixture
def gcloud(storage_url: str, tmp_path: Path) -> Gcloud:
    token = tmp_path / "token"
    token.write_text("t")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "CLOUDSDK_CONFIG": str(tmp_path / "gcloud"),
        "CLOUDSDK_CORE_PROJECT": "p1",
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
        "CLOUDSDK_CORE_DISABLE_FILE_LOGGING": "1",
        "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": str(token),
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE": f"{storage_url}/storage/v1/",
        "CLOUDSDK_STORAGE_PARALLEL_COMPOSITE_UPLOAD_ENABLED": "True",
        "CLOUDSDK_STORAGE_PARALLEL_COMPOSITE_UPLOAD_THRESHOLD": "10M",
        "CLOUDSDK_STORAGE_PARALLEL_COMPOSITE_UPLOAD_COMPONENT_SIZE": "5M",
    }

    def run(*arguments: str) -> str:
        done = subprocess.run(
            ["gcloud", "storage", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_the_guide_s_bucket_commands(gcloud: Gcloud, tmp_path: Path) -> None:
    gcloud(
        "buckets",
        "create",
        "gs://models",
        "--location=us-central1",
        "--uniform-bucket-level-access",
        "--enable-hierarchical-namespace",
    )
    assert "location: US-CENTRAL1" in gcloud("buckets", "describe", "gs://models")
    member = "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p1.svc.id.goog/subject"
    member += "/ns/default/sa/default"
    grant = ["--role=roles/storage.objectViewer", f"--member={member}"]
    assert member in gcloud("buckets", "add-iam-policy-binding", "gs://models", *grant)
    assert member not in gcloud("buckets", "remove-iam-policy-binding", "gs://models", *grant)


@pytest.mark.slow
def test_files_go_up_and_come_down_in_each_of_gcloud_s_ways(gcloud: Gcloud, tmp_path: Path) -> None:
    gcloud("buckets", "create", "gs://models", "--location=us-central1")
    sizes = {"multipart": 1000, "resumable": 9 * 2**20, "composite": 11 * 2**20}
    for name, size in sizes.items():
        (tmp_path / name).write_bytes(os.urandom(size))
    gcloud("cp", *(str(tmp_path / name) for name in sizes), "gs://models/folder/")
    listing = gcloud("ls", "-l", "gs://models/folder/")
    for name, size in sizes.items():
        assert f"{size}" in listing
        assert f"gs://models/folder/{name}" in listing
    (tmp_path / "back").mkdir()
    gcloud("cp", "-r", "gs://models/folder", str(tmp_path / "back"))
    for name in sizes:
        assert (tmp_path / "back" / "folder" / name).read_bytes() == (tmp_path / name).read_bytes()
    (tmp_path / "text").write_text("hello\n")
    gcloud("cp", str(tmp_path / "text"), "gs://models/text")
    assert gcloud("cat", "gs://models/text") == "hello\n"
    gcloud("rm", "-r", "gs://models")
