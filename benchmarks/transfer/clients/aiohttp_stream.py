"""A stream of aiohttp into one PUT of a resumable upload, for each file."""

from __future__ import annotations

import asyncio

import aiohttp

from benchmarks.transfer.clients.job import File, Job


async def main() -> None:
    """Copy each file."""
    job = Job.told()
    turns = asyncio.Semaphore(job.at_once)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session:

        async def in_turn(file: File) -> None:
            async with turns:
                await _move(session, job, file)

        await asyncio.gather(*map(in_turn, job.files()))


async def _move(session: aiohttp.ClientSession, job: Job, file: File) -> None:
    url = f"{job.storage}/upload/storage/v1/b/{job.bucket}/o"
    query = {"uploadType": "resumable", "name": file.name}
    headers = {"Authorization": f"Bearer {job.token}"}
    async with session.post(url, params=query, headers=headers, json={}) as opened:
        opened.raise_for_status()
        upload = opened.headers["Location"]
    place = {
        "Content-Length": str(file.size),
        "Content-Range": f"bytes 0-{file.size - 1}/{file.size}",
    }
    async with session.get(file.url) as source:
        source.raise_for_status()
        async with session.put(upload, data=source.content.iter_chunked(1 << 20), headers=place) as stored:
            stored.raise_for_status()


if __name__ == "__main__":
    asyncio.run(main())
