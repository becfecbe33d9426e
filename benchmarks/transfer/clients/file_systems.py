"""One file system into the other: huggingface_hub's HfFileSystem, and gcsfs."""

from __future__ import annotations

import shutil

from huggingface_hub import HfFileSystem

from benchmarks.transfer.clients.job import BLOCK, File, Job


def main() -> None:
    """Copy each file."""
    job = Job.told()
    hub, bucket = HfFileSystem(), job.gcsfs()

    def move(file: File) -> None:
        with (
            hub.open(f"{job.repository}/{file.path}", "rb", block_size=BLOCK) as source,
            bucket.open(f"{job.bucket}/{file.name}", "wb", block_size=BLOCK) as target,
        ):
            shutil.copyfileobj(source, target, BLOCK)

    job.for_each_file(move)


if __name__ == "__main__":
    main()
