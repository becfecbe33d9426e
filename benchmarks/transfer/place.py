"""Where the ways meet: one stand-in with its hub, the sink before it, and the clients' own programs."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
BUCKET = "rehearsal-models"
_CLIENTS = ROOT / ".cache" / "transfer-clients"
_PACKAGES = ("huggingface_hub==2.4.0", "gcsfs", "google-cloud-storage", "aiohttp", "requests")


@dataclass(frozen=True)
class Place:
    """What the ways are told.

    Args:
        home: RUNBOOK_HOME, in which the sink stands for Google.
        environ: points every client at the hub and the sink.
        storage: the sink's address.
    """

    home: Path
    environ: Mapping[str, str]
    storage: str

    def stored(self, folder: str) -> Mapping[str, int]:
        """List the objects of a folder with their sizes."""
        url = f"{self.storage}/storage/v1/b/{BUCKET}/o?prefix={folder}/"
        with _open(url) as answer:
            items: list[dict[str, Any]] = json.load(answer)["items"]
        return {item["name"].removeprefix(f"{folder}/"): int(item["size"]) for item in items}

    def offered(self, repository: str) -> Mapping[str, int]:
        """List the files of a repository with their sizes; the first time, the hub hashes them for that."""
        with _open(f"{self.environ['HF_ENDPOINT']}/api/models/{repository}?blobs=true") as answer:
            siblings: list[dict[str, Any]] = json.load(answer)["siblings"]
        return {one["rfilename"]: one["size"] for one in siblings}


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[Place]:
    """Start the stand-in and the sink in a folder, and make the bucket; stop both at the end."""
    cloud, home = folder / "cloud", folder / "home"
    rehearsal = [sys.executable, "-m", "rehearsal"]
    subprocess.run([*rehearsal, "up", "--home", str(cloud)], cwd=ROOT, check=True)
    try:
        endpoints = json.loads((cloud / "endpoints.json").read_text())
        with _sink(endpoints["google"]) as storage:
            (home / ".rehearsal").mkdir(parents=True)
            told = json.dumps(endpoints | {"google": storage})
            (home / ".rehearsal" / "endpoints.json").write_text(told)
            environ = _environ(folder, home, endpoints, storage)
            inv(environ, "step", "3.1")
            yield Place(home, environ, storage)
    finally:
        subprocess.run([*rehearsal, "down", "--home", str(cloud)], cwd=ROOT, check=True)


@contextlib.contextmanager
def _sink(google: str) -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.transfer.sink", google.removeprefix("http://")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def _environ(folder: Path, home: Path, endpoints: Mapping[str, str], storage: str) -> Mapping[str, str]:
    """Start from an environment without what would lead a client elsewhere."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("HF_", "CLOUDSDK_", "GOOGLE_", "RUNBOOK_")) and "proxy" not in name.lower()
    }
    return kept | {
        "RUNBOOK_HOME": str(home),
        "HF_ENDPOINT": endpoints["hub"],
        "HF_HOME": str(folder / "hf"),
        "STORAGE_EMULATOR_HOST": storage,
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE": f"{storage}/storage/v1/",
        "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": endpoints["token_file"],
        "CLOUDSDK_CONFIG": str(folder / "gcloud"),
        "CLOUDSDK_CORE_PROJECT": "rehearsal-project",
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
        "CLOUDSDK_CORE_DISABLE_FILE_LOGGING": "true",
        "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false",
        "TMPDIR": str(folder),
    }


def inv_command(*words: str) -> Sequence[str]:
    """Write a line of the project's own."""
    return [sys.executable, "-m", "invoke", "--search-root", str(ROOT), *words]


def inv(environ: Mapping[str, str], *words: str) -> None:
    """Run a line of the project's own."""
    subprocess.run(inv_command(*words), cwd=ROOT, env=dict(environ), check=True, capture_output=True)


def clients() -> Path:
    """Make the virtual environment of the clients once, and return the folder of its programs."""
    programs = _CLIENTS / "bin"
    if not (programs / "hf").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(_CLIENTS)], check=True)
        pip = [str(programs / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--constraint", str(ROOT / "constraints.txt"), *_PACKAGES], check=True)
    return programs


def _open(url: str) -> Any:
    return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url)
