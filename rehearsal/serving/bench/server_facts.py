"""What the client asks the server besides answers: its first model, and whether both count tokens alike."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import aiohttp

from rehearsal.serving.bench.streaming import Prompt
from rehearsal.serving.console import say


class NoModelError(Exception):
    """The server does not name a model."""


async def first_model(session: aiohttp.ClientSession, base_url: str) -> tuple[str, str]:
    """Ask for the name and the root of the server's first model.

    Raises:
        NoModelError: in the words of `vllm bench serve`.
    """
    url = f"{base_url}/v1/models"
    try:
        async with session.get(url) as response:
            response.raise_for_status()
            models = (await response.json())["data"]
    except aiohttp.ClientError as error:
        raise NoModelError(
            f"Failed to fetch models from server at {url}. Check that:\n1. The server is running\n"
            f"2. The server URL is correct\nError: {error}"
        ) from error
    if not models:
        raise NoModelError(f"No models found on the server at {base_url}.")
    return models[0]["id"], models[0]["root"]


async def align(
    session: aiohttp.ClientSession, base_url: str, model: str, prompts: list[Prompt]
) -> list[Prompt]:
    """Shorten prompts that the server counts longer than the client does, as 0.32 and later do."""
    try:
        counted = len(await _tokens(session, base_url, model, prompts[0].text))
    except aiohttp.ClientError:
        say("WARNING: /tokenize unavailable, skipping alignment.")
        return prompts
    if counted == prompts[0].tokens:
        return prompts
    say(f"WARNING: tokenizer mismatch (server={counted}, expected={prompts[0].tokens}), re-aligning prompts.")
    return await asyncio.gather(*(_shortened(session, base_url, model, prompt) for prompt in prompts))


async def _shortened(session: aiohttp.ClientSession, base_url: str, model: str, prompt: Prompt) -> Prompt:
    tokens = await _tokens(session, base_url, model, prompt.text)
    if len(tokens) <= prompt.tokens:
        return prompt
    body = {"model": model, "tokens": list(tokens[: prompt.tokens])}
    async with session.post(f"{base_url}/detokenize", json=body, raise_for_status=True) as response:
        return replace(prompt, text=(await response.json())["prompt"])


async def _tokens(session: aiohttp.ClientSession, base_url: str, model: str, text: str) -> Sequence[int]:
    body = {"model": model, "prompt": text, "add_special_tokens": False}
    async with session.post(f"{base_url}/tokenize", json=body, raise_for_status=True) as response:
        tokens: list[int] = (await response.json())["tokens"]
        return tokens
