"""What every one of these programs is told."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BLOCK = 32 << 20


@dataclass(frozen=True)
class File:
    """A file of the repository.

    Args:
        url: where the hub has it.
        name: of the object that it becomes, without the bucket.
    """

    path: str
    size: int
    url: str
    name: str


@dataclass(frozen=True)
class Job:
    """A model and where it goes.

    Args:
        hub: base address.
        storage: base address.
        at_once: files on their way at the same time.
    """

    hub: str
    storage: str
    token: str
    repository: str
    bucket: str
    folder: str
    at_once: int

    @classmethod
    def told(cls) -> Job:
        """Read it from the environment."""
        told = {name: os.environ[f"TRANSFER_{name.upper()}"] for name in ("repository", "bucket", "folder")}
        return cls(
            hub=os.environ["HF_ENDPOINT"],
            storage=os.environ["STORAGE_EMULATOR_HOST"],
            token=Path(os.environ["CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"]).read_text().strip(),
            at_once=int(os.environ.get("TRANSFER_AT_ONCE", "4")),
            **told,
        )

    def files(self) -> list[File]:
        """Ask the hub what there is, the largest first."""
        with urllib.request.urlopen(f"{self.hub}/api/models/{self.repository}?blobs=true") as answer:
            listed: list[dict[str, Any]] = json.load(answer)["siblings"]
        base = f"{self.hub}/{self.repository}/resolve/main"
        files = [
            File(
                one["rfilename"],
                one["size"],
                f"{base}/{one['rfilename']}",
                f"{self.folder}/{one['rfilename']}",
            )
            for one in listed
        ]
        return sorted(files, key=lambda file: -file.size)

    def for_each_file(self, move: Callable[[File], object]) -> None:
        """Move all files, some at once."""
        with ThreadPoolExecutor(self.at_once) as pool:
            list(pool.map(move, self.files()))

    def gcsfs(self) -> Any:
        """Open Cloud Storage as a file system."""
        import gcsfs
        from google.oauth2.credentials import Credentials

        login = Credentials(self.token)  # type: ignore[no-untyped-call]  # it has no types
        return gcsfs.GCSFileSystem(project="rehearsal-project", token=login)
