"""Send one request and time its answer as it streams in."""

from __future__ import annotations

import json
import os
import time
import traceback
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp


@dataclass(frozen=True)
class Prompt:
    """A request of the benchmark.

    Args:
        tokens: length of the text, as the client's tokenizer counts.
        output_tokens: tokens to ask for.
    """

    text: str
    tokens: int
    output_tokens: int
    request_id: str = ""


@dataclass
class Outcome:
    """What became of a request; all times in seconds.

    Args:
        output_tokens: as the server counted them; 0 when it did not say.
        latency: from sending to the last token.
        time_to_first_token: from sending to the first token.
        inter_token_latencies: between chunks.
        start_time: of the monotonic clock.
        queue_time: spent waiting for the client's own concurrency limit.
    """

    prompt_tokens: int
    success: bool = False
    error: str = ""
    text: str = ""
    output_tokens: int = 0
    latency: float = 0.0
    time_to_first_token: float = 0.0
    inter_token_latencies: array[float] = field(default_factory=lambda: array("d"))
    start_time: float = 0.0
    queue_time: float = 0.0


@dataclass(frozen=True)
class Target:
    """Where requests go, and what all of them carry.

    Args:
        url: of the endpoint.
        model: name in the request.
        extra_body: fields added to each request.
        chat: the endpoint takes messages.
    """

    url: str
    model: str
    extra_body: Mapping[str, Any]
    headers: Mapping[str, str]
    chat: bool

    def body(self, prompt: Prompt) -> dict[str, Any]:
        """The JSON of one request."""
        what: dict[str, Any] = {
            "model": self.model,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if self.chat:
            content = [{"type": "text", "text": prompt.text}]
            what["messages"] = [{"role": "user", "content": content}]
            what["max_completion_tokens"] = prompt.output_tokens
        else:
            what |= {"prompt": prompt.text, "repetition_penalty": 1.0, "logprobs": None}
            what["max_tokens"] = prompt.output_tokens
        return what | dict(self.extra_body)

    def headers_of(self, prompt: Prompt) -> dict[str, str]:
        """The HTTP headers of one request; the key comes from OPENAI_API_KEY, as with the real client."""
        key = os.environ.get("OPENAI_API_KEY")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        headers |= dict(self.headers)
        return headers | ({"x-request-id": prompt.request_id} if prompt.request_id else {})


async def send(session: aiohttp.ClientSession, target: Target, prompt: Prompt) -> Outcome:
    """Send a request and follow its stream; what fails is told in the outcome, as the real client does."""
    outcome = Outcome(prompt.tokens, start_time=time.perf_counter())
    try:
        async with session.post(
            target.url, json=target.body(prompt), headers=target.headers_of(prompt)
        ) as response:
            if response.status == 200:
                await _follow(response, outcome, chat=target.chat)
            else:
                outcome.error = response.reason or ""
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        outcome.success = False
        outcome.error = "".join(traceback.format_exception(error))
    return outcome


async def _follow(response: aiohttp.ClientResponse, outcome: Outcome, *, chat: bool) -> None:
    texts: list[str] = []
    last = outcome.start_time
    rest = b""
    async for received in response.content.iter_any():
        *events, rest = (rest + received).split(b"\n\n")
        for event in events:
            data = event.removeprefix(b"data: ")
            if data == b"[DONE]" or not data or data.startswith(b":"):
                continue
            chunk = json.loads(data)
            if choices := chunk.get("choices"):
                last = _token(outcome, last)
                texts.append((choices[0]["delta"].get("content") if chat else choices[0].get("text")) or "")
            elif usage := chunk.get("usage"):
                outcome.output_tokens = usage["completion_tokens"]
                outcome.prompt_tokens = usage.get("prompt_tokens", outcome.prompt_tokens)
    outcome.text = "".join(texts)
    outcome.latency = last - outcome.start_time
    outcome.success = bool(texts)
    if not texts:
        outcome.error = (
            "Never received a valid chunk to calculate TTFT.This response will be marked as failed!"
        )


def _token(outcome: Outcome, last: float) -> float:
    now = time.perf_counter()
    if last == outcome.start_time:
        outcome.time_to_first_token = now - outcome.start_time
    else:
        outcome.inter_token_latencies.append(now - last)
    return now
