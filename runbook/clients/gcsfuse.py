"""gcsfuse on this machine: a bucket as a folder of the operating system, for those who need one."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from runbook.engine.errors import FailedError, MissingError, Place, RefusedError

PROGRAM = "gcsfuse"
OLDEST = 3
"""The first version whose mount options are those of the CSI driver's configuration."""
WHERE_FROM = "https://cloud.google.com/storage/docs/cloud-storage-fuse/install"
INSTEAD = (
    "leave bucket.posix_mount out: the runbook itself uses gcsfs, which gives Python programs the same "
    "files (fsspec.open('gs://BUCKET/PATH')) without a mount"
)
MOUNTS = Path("/proc/self/mounts")
SECONDS = 60.0


def mount_command(bucket: str, folder: Path) -> Sequence[str]:
    """Write the command that mounts a bucket, as the guide's mount options have it."""
    return [PROGRAM, "--implicit-dirs", bucket, str(folder)]


def unmount_command(folder: Path) -> Sequence[str]:
    """Write the command that unmounts a folder."""
    return ["umount", str(folder)] if sys.platform == "darwin" else ["fusermount", "-u", str(folder)]


def require_gcsfuse() -> None:
    """See that gcsfuse is there, and new enough.

    Raises:
        RefusedError: it is not.
    """
    if shutil.which(PROGRAM) is None:
        remedy = f"install {PROGRAM} {OLDEST} or newer ({WHERE_FROM}), or {INSTEAD}"
        raise RefusedError(f"{PROGRAM} is not on this machine's PATH", remedy=remedy)
    said = _run([PROGRAM, "--version"])
    found = re.search(r"version (\d+)\.", said)
    if found is None or int(found[1]) < OLDEST:
        version = said.strip().splitlines()[0] if said.strip() else "of an unknown version"
        remedy = f"install {PROGRAM} {OLDEST} or newer ({WHERE_FROM}), or {INSTEAD}"
        raise RefusedError(f"{PROGRAM} is too old: {version}", remedy=remedy)


def mounted(folder: Path) -> str | None:
    """Tell which bucket is mounted at a folder; None: none is.

    Raises:
        RefusedError: something else is mounted there.
    """
    for source, kind in _mounts_at(folder):
        if "gcsfuse" not in kind:
            raise RefusedError(
                f"{source} ({kind}) is mounted at {folder}", remedy="choose another bucket.posix_mount"
            )
        return source
    return None


def run(command: Sequence[str]) -> None:
    """Mount or unmount.

    Raises:
        FailedError: it did not work; with what the program said.
    """
    _run(command)


def require_folder(folder: Path) -> None:
    """See that there is an empty folder to mount at.

    Raises:
        RefusedError: there is none, or something is in it.
    """
    if not folder.is_dir() or any(folder.iterdir()):
        raise RefusedError(f"{folder} is no empty folder", remedy=f"mkdir -p {folder}, or choose another")


def _mounts_at(folder: Path) -> list[tuple[str, str]]:
    """Find what is mounted at a folder: source and type."""
    wanted = str(folder.absolute())
    if MOUNTS.exists():
        rows = [line.split(" ") for line in MOUNTS.read_text(encoding="utf-8").splitlines()]
        return [(row[0], row[2]) for row in rows if row[1].replace("\\040", " ") == wanted]
    lines = re.findall(r"^(\S+) on (.+) \((\S+?)[,)]", _run(["mount"]), re.MULTILINE)
    return [(source, kind) for source, place, kind in lines if place == wanted]


def _run(command: Sequence[str]) -> str:
    place = Place(" ".join(command))
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except FileNotFoundError as error:
        raise MissingError(
            f"{command[0]} is not on this machine's PATH", supplied_by="storage.mount", place=place
        ) from error
    except subprocess.TimeoutExpired as error:
        raise FailedError(f"{command[0]} did not end in {SECONDS:.0f} s", place=place) from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise FailedError(said[-1] if said else f"exit code {done.returncode}", place=place)
    return done.stdout + done.stderr
