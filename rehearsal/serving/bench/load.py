"""The run itself: is the server there, warm it up, send every prompt when its time has come."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
import random
import sys
import time
from collections.abc import Sequence

import aiohttp

from rehearsal.serving.bench.progress import Progress, waiting_text
from rehearsal.serving.bench.streaming import Outcome, Prompt, Target, send
from rehearsal.serving.console import say

READY_RETRY_SECONDS = 5.0
SHORTEST_RETRY_SECONDS = 0.2


class NotReadyError(Exception):
    """The server did not answer the first prompt in time."""


async def wait_until_ready(
    session: aiohttp.ClientSession, target: Target, prompt: Prompt, timeout_seconds: int, time_scale: float
) -> None:
    """Send the first prompt until it is answered.

    Args:
        time_scale: shortens the pause between tries.

    Raises:
        NotReadyError: with the error of the last try.
    """
    say(f"Waiting for endpoint to become up in {timeout_seconds} seconds")
    begin = time.monotonic()
    pause = max(SHORTEST_RETRY_SECONDS, READY_RETRY_SECONDS * min(1.0, time_scale))
    while True:
        sys.stderr.write(f"\r{waiting_text(time.monotonic() - begin, timeout_seconds)}")
        sys.stderr.flush()
        outcome = await send(session, target, prompt)
        left = timeout_seconds - (time.monotonic() - begin)
        if outcome.success or left <= 0:
            break
        await asyncio.sleep(min(pause, left))
    sys.stderr.write("\n")
    if not outcome.success:
        raise NotReadyError(
            "Initial test run failed - Please make sure benchmark arguments are correctly specified."
            f" Error: {outcome.error}"
        )
    say("Initial test run completed.")


async def send_all(
    session: aiohttp.ClientSession, target: Target, prompts: Sequence[Prompt], options: argparse.Namespace
) -> tuple[list[Outcome], float]:
    """Send the prompts at the rate asked for, at most --max-concurrency at once.

    Returns:
        the outcomes in the prompts' order, and the duration in seconds.
    """
    limit = (
        asyncio.Semaphore(options.max_concurrency) if options.max_concurrency else contextlib.nullcontext()
    )
    progress = Progress(len(prompts), shown=not options.disable_tqdm)

    async def one(prompt: Prompt) -> Outcome:
        arrived = time.perf_counter()
        async with limit:
            outcome = await send(session, target, prompt)
        outcome.queue_time = outcome.start_time - arrived
        progress.advance()
        return outcome

    begin = time.perf_counter()
    tasks: list[asyncio.Task[Outcome]] = []
    for prompt, due in zip(prompts, arrival_times(len(prompts), options), strict=True):
        delay = begin + due - time.perf_counter()
        if delay > 0:
            await asyncio.sleep(delay)
        tasks.append(asyncio.create_task(one(prompt)))
    outcomes = await asyncio.gather(*tasks)
    duration = time.perf_counter() - begin
    progress.close()
    return outcomes, duration


async def warm_up(
    session: aiohttp.ClientSession, target: Target, prompt: Prompt, options: argparse.Namespace
) -> None:
    """Send the first prompt --num-warmups times; these answers are not counted."""
    say(f"Warming up with {options.num_warmups} requests...")
    at_once = argparse.Namespace(**{**vars(options), "request_rate": math.inf})
    await send_all(session, target, [prompt] * options.num_warmups, at_once)
    say("Warmup run completed.")


def arrival_times(count: int, options: argparse.Namespace) -> list[float]:
    """When each request is sent, in seconds from the start: gamma distributed gaps, scaled to the rate."""
    rate, burstiness = options.request_rate, options.burstiness
    if math.isinf(rate):
        return [0.0] * count
    chance = random.Random(options.seed)  # noqa: S311 - reproducible arrivals, no secret
    gaps = [chance.gammavariate(burstiness, 1 / (rate * burstiness)) for _ in range(count)]
    scale = count / rate / sum(gaps)
    times: list[float] = []
    elapsed = 0.0
    for gap in gaps:
        elapsed += gap * scale
        times.append(elapsed)
    return times
