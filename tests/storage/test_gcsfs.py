from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

os.environ["GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT"] = "false"

from fsspec.asyn import sync
from gcsfs import GCSFileSystem

ROOT = Path(__file__).parents[2]
BODY = os.urandom(1024 * 1024 + 5)


@pytest.fixture
def files(storage_url: str) -> Iterator[GCSFileSystem]:
    files = GCSFileSystem(
        project="p1",
        endpoint_url=storage_url,
        token="anon",
        skip_instance_cache=True,
        use_listings_cache=False,
    )
    files.mkdir("models", location="us-central1")
    yield files
    sync(files.loop, files.session.close)


def test_files_are_written_listed_and_read(files: GCSFileSystem) -> None:
    with files.open("models/folder/a.bin", "wb", block_size=256 * 1024) as file:
        file.write(BODY)
    assert files.ls("models") == ["models/folder"]
    assert files.info("models/folder/a.bin")["size"] == len(BODY)
    assert files.cat("models/folder/a.bin") == BODY
    with files.open("models/folder/a.bin") as file:
        file.seek(1000)
        assert file.read(10) == BODY[1000:1010]


def test_small_bytes_and_empty_ones_too(files: GCSFileSystem) -> None:
    for name, body in (("one", b"1\r"), ("none", b""), ("lines", b"a\n--==0==--\nb")):
        files.pipe(f"models/{name}", body, consistency="md5")
        assert files.cat(f"models/{name}") == body
    with files.open("models/touched", "wb"):
        pass
    assert files.cat("models/touched") == b""


def test_bytes_appear_only_on_commit(files: GCSFileSystem) -> None:
    file = files.open("models/a", "wb", autocommit=False, block_size=256 * 1024)
    file.write(BODY)
    file.close()
    assert not files.exists("models/a")
    file.commit()
    assert files.cat("models/a") == BODY


def test_discarded_bytes_never_appear(files: GCSFileSystem) -> None:
    file = files.open("models/a", "wb", autocommit=False, block_size=256 * 1024)
    file.write(BODY)
    file.discard()
    assert not files.exists("models/a")


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")  # gcsfs does, and it is right to
def test_files_are_put_copied_and_removed(
    files: GCSFileSystem, tmp_path_file: Callable[[bytes], str]
) -> None:
    files.put(tmp_path_file(os.urandom(6 * 1024 * 1024)), "models/put")
    files.cp("models/put", "models/copied")
    assert files.info("models/copied")["md5Hash"] == files.info("models/put")["md5Hash"]
    files.rm(["models/put", "models/copied"])
    assert files.ls("models") == []
    files.rmdir("models")
    assert not files.exists("models")


@pytest.fixture
def tmp_path_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bytes], str]:
    def make(body: bytes) -> str:
        path = tmp_path_factory.mktemp("files") / "file"
        path.write_bytes(body)
        return str(path)

    return make


def test_the_runbook_never_gets_the_file_system_that_stalls_without_grpc() -> None:
    """The module that needs gcsfs for its retries alone may be the first to import it."""
    asked = "import runbook.clients.mount, gcsfs; print(gcsfs.GCSFileSystem.__name__)"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GCSFS_")}
    told = subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT, env=kept, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "GCSFileSystem"
