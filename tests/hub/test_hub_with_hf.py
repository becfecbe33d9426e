from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HF = os.environ.get("RUNBOOK_TEST_HF") or shutil.which("hf")

pytestmark = [
    pytest.mark.clients,
    pytest.mark.skipif(
        HF is None, reason="no `hf` in PATH nor in RUNBOOK_TEST_HF: pip install huggingface_hub"
    ),
]


@pytest.fixture
def environment(hub_url: str, tmp_path: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    return kept | {"HF_ENDPOINT": hub_url, "HF_HOME": str(tmp_path / "hf"), "HOME": str(tmp_path)}


def run(environment: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_hf_downloads_what_serving_needs(environment: dict[str, str], tmp_path: Path) -> None:
    assert HF is not None
    folder = tmp_path / "model"
    command = [HF, "download", "openai/gpt-oss-120b", "--exclude", "original/*", "--exclude", "metal/*"]
    done = run(environment, *command, "--local-dir", str(folder))
    assert done.returncode == 0, done.stderr
    assert len(list(folder.glob("model-*-of-00014.safetensors"))) == 15
    assert not (folder / "original").exists()


def test_hf_downloads_a_made_repository_at_either_revision(
    environment: dict[str, str], tmp_path: Path
) -> None:
    assert HF is not None
    for revision in ("main", "v2"):
        command = [HF, "download", "rehearsal/made-2x12MiB", "--revision", revision]
        done = run(environment, *command, "--local-dir", str(tmp_path / revision))
        assert done.returncode == 0, done.stderr
    first, last = (f"model-{number:05}-of-00001.safetensors" for number in range(2))
    main, changed = tmp_path / "main", tmp_path / "v2"
    assert (main / first).stat().st_size == (changed / first).stat().st_size == 12 << 20
    assert (main / first).read_bytes() != (changed / first).read_bytes()
    assert (main / last).read_bytes() == (changed / last).read_bytes()


def test_hf_says_what_is_missing(environment: dict[str, str]) -> None:
    assert HF is not None
    missing = run(environment, HF, "download", "openai/gpt-oss-120b", "missing.txt")
    assert missing.returncode == 1
    assert "missing.txt" in missing.stderr
    gated = run(environment, HF, "download", "rehearsal/gpt-oss-gated", "config.json")
    assert gated.returncode == 1


FILE_SYSTEM = """
from huggingface_hub import HfApi, HfFileSystem
files = HfFileSystem()
print(sorted(name.rpartition("/")[2] for name in files.ls("openai/gpt-oss-120b/original", detail=False))[0])
with files.open("openai/gpt-oss-120b/model-00000-of-00014.safetensors", "rb") as file:
    file.seek(8)
    print(file.read(16))
info = HfApi().model_info("openai/gpt-oss-120b", files_metadata=True)
print(info.sha[:8], sum(item.lfs is not None for item in info.siblings))
print([item.path for item in HfApi().get_paths_info("openai/gpt-oss-120b", ["metal", "LICENSE", "none"])])
"""


def test_its_file_system_and_api_read_ranges(environment: dict[str, str]) -> None:
    assert HF is not None
    done = run(environment, str(Path(HF).with_name("python")), "-c", FILE_SYSTEM)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "config.json",
        """b'{"__metadata__":'""",
        "b5c939de 24",
        "['metal', 'LICENSE']",
    ]
