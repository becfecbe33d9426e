"""D13: where the guide's download lands, and what a better one leaves behind, with the real hf."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.steps_gke.workplace import Workplace

HF = os.environ.get("RUNBOOK_TEST_HF") or shutil.which("hf")
NO_HF = "no `hf` in PATH nor in RUNBOOK_TEST_HF: pip install huggingface_hub"


def download(hub_url: str, home: Path, *options: str) -> None:
    """Type the guide's command in an empty folder, which stands for the mounted bucket."""
    assert HF is not None
    kept = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    (home / "mounted").mkdir()
    done = subprocess.run(
        [HF, "download", "rehearsal/gpt-oss-tiny", *options],
        cwd=home / "mounted",
        env=kept | {"HF_ENDPOINT": hub_url, "HF_HOME": str(home / "hf"), "HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.clients
@pytest.mark.skipif(HF is None, reason=NO_HF)
def test_d13_the_guides_download_fills_a_cache_and_not_the_folder(hub_url: str, tmp_path: Path) -> None:
    download(hub_url, tmp_path)
    assert list((tmp_path / "mounted").iterdir()) == []
    assert list((tmp_path / "hf" / "hub" / "models--rehearsal--gpt-oss-tiny" / "snapshots").iterdir())


@pytest.mark.clients
@pytest.mark.skipif(HF is None, reason=NO_HF)
def test_d13_a_download_into_the_folder_leaves_its_own_notes_there(hub_url: str, tmp_path: Path) -> None:
    download(hub_url, tmp_path, "--local-dir", "model", "--exclude", "original/*", "--exclude", "metal/*")
    assert (tmp_path / "mounted" / "model" / ".cache" / "huggingface").is_dir()


def test_d13_the_printed_line_leaves_these_notes_at_home(work: Workplace) -> None:
    work.apply("storage.bucket")
    (change,) = work.check("model.upload").changes
    line = change.command[-1]
    assert "--local-dir gpt-oss-tiny" in line
    assert r"--exclude=^\.cache/" in line
