"""The ways from the hub to the bucket, as command lines."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.transfer.place import BUCKET, ROOT, inv_command

Commands = Callable[["Move"], Sequence[Sequence[str]]]


@dataclass(frozen=True)
class Move:
    """One model on one way.

    Args:
        repository: on the hub.
        folder: in the bucket.
        disk: an empty folder that this way may fill.
        programs: the folder of the clients' programs.
    """

    repository: str
    folder: str
    disk: Path
    programs: Path

    @property
    def model(self) -> str:
        """Where a download goes."""
        return str(self.disk / "model")

    @property
    def environ(self) -> Mapping[str, str]:
        """What the clients' programs are told."""
        return {
            "TRANSFER_REPOSITORY": self.repository,
            "TRANSFER_BUCKET": BUCKET,
            "TRANSFER_FOLDER": self.folder,
            "PYTHONPATH": str(ROOT),
        }


@dataclass(frozen=True)
class Way:
    """A way that people go.

    Args:
        name: as the table shows it.
        commands: one after the other.
        hashes: whether an object comes to be only when its SHA-256 is the hub's.
        environ: more of it.
        program: what must be in PATH.
    """

    name: str
    commands: Commands
    hashes: bool = False
    environ: Mapping[str, str] = field(default_factory=dict)
    program: str = ""

    @property
    def missing(self) -> str:
        """Name the program that is not on this machine; empty where all is there."""
        return self.program if self.program and not shutil.which(self.program) else ""


def _download(move: Move) -> list[str]:
    return [str(move.programs / "hf"), "download", move.repository, "--local-dir", move.model]


def _client(move: Move, module: str, *words: str) -> list[str]:
    return [str(move.programs / "python"), "-m", f"benchmarks.transfer.clients.{module}", *words]


def _with_gcloud(move: Move) -> list[list[str]]:
    copy = ["gcloud", "storage", "cp", "-r", f"{move.model}/*", f"gs://{BUCKET}/{move.folder}/"]
    return [_download(move), copy]


def _with_put(move: Move) -> list[list[str]]:
    return [_download(move), _client(move, "gcsfs_put", f"{move.model}/")]


def _ours(move: Move) -> list[Sequence[str]]:
    variables = {
        "checkpoint.repository": move.repository,
        "checkpoint.revision": "main",
        "checkpoint.folder": move.folder,
    }
    told = [word for name, value in variables.items() for word in ("--set", f"{name}={value}")]
    return [inv_command("step", "3.2.3", *told)]


def _at_once(number: int) -> Mapping[str, str]:
    return {"TRANSFER_AT_ONCE": str(number)}


_PARALLEL_COMPOSITE = "CLOUDSDK_STORAGE_PARALLEL_COMPOSITE_UPLOAD_ENABLED"

WAYS: Mapping[str, Way] = {
    "gcloud": Way(
        "hf download, then gcloud storage cp -r",
        _with_gcloud,
        program="gcloud",
    ),
    "gcloud-whole": Way(
        "the same, parallel composite uploads off",
        _with_gcloud,
        environ={_PARALLEL_COMPOSITE: "false"},
        program="gcloud",
    ),
    "gcsfs-put": Way("hf download, then gcsfs.put", _with_put),
    "file-systems-1": Way(
        "HfFileSystem to gcsfs.open, 32 MiB blocks",
        lambda move: [_client(move, "file_systems")],
        environ=_at_once(1),
    ),
    "file-systems-4": Way(
        "the same, 4 files at once",
        lambda move: [_client(move, "file_systems")],
        environ=_at_once(4),
    ),
    "blob-open": Way(
        "requests to blob.open, 32 MiB, 4 at once",
        lambda move: [_client(move, "blob_open")],
        environ=_at_once(4),
    ),
    "aiohttp": Way(
        "aiohttp to resumable PUT, 4 at once",
        lambda move: [_client(move, "aiohttp_stream")],
        environ=_at_once(4),
    ),
    "ours": Way("ours: inv step 3.2.3", _ours, hashes=True),
    "pipeline": Way("its pipeline alone", lambda move: [_client(move, "pipeline")], hashes=True),
    "bare": Way(
        "that without hashing and resume", lambda move: [_client(move, "pipeline", "bare")], hashes=False
    ),
}
"""By the word that chooses each; ratios are to the first."""
