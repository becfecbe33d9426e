"""A stream of requests into blob.open of google-cloud-storage."""

from __future__ import annotations

import requests
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from benchmarks.transfer.clients.job import BLOCK, File, Job


def main() -> None:
    """Copy each file."""
    job = Job.told()
    credentials = AnonymousCredentials()  # type: ignore[no-untyped-call]  # it has no types
    client = storage.Client(project="rehearsal-project", credentials=credentials)
    bucket = client.bucket(job.bucket)

    def move(file: File) -> None:
        with (
            requests.get(file.url, stream=True, timeout=60) as source,
            bucket.blob(file.name).open("wb", chunk_size=BLOCK) as target,
        ):
            for piece in source.iter_content(1 << 20):
                target.write(piece)

    job.for_each_file(move)


if __name__ == "__main__":
    main()
