"""A folder that `hf download` has filled, into the bucket: `python -m ...gcsfs_put FOLDER`."""

from __future__ import annotations

import sys

from benchmarks.transfer.clients.job import Job


def main(folder: str) -> None:
    """Put it there."""
    job = Job.told()
    job.gcsfs().put(folder, f"{job.bucket}/{job.folder}", recursive=True)


if __name__ == "__main__":
    main(sys.argv[1])
