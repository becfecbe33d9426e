"""POST /v1/completions and /v1/chat/completions: whole answers and streams of server-sent events."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aiohttp import web

from rehearsal.serving.server.engine import Engine, Generation
from rehearsal.serving.server.errors import RefusalError, bad_json, missing, wrong_type
from rehearsal.serving.server.parameters import COMPLETION_MAX_TOKENS, Sampling, sampling
from rehearsal.serving.server.serving import Serving
from rehearsal.serving.server.shapes import ChatShape, CompletionShape, Shape

DONE = b"data: [DONE]\n\n"
STOPPED = (
    b'data: {"error": {"message": "EngineCore encountered an issue. See stack trace (above) for the root'
    b' cause.", "type": "InternalServerError", "param": null, "code": 500}}\n\n'
)


@dataclass(frozen=True)
class Choice:
    """One of the answers that a request asked for.

    Args:
        index: its place among them.
        first: it is the first of its prompt, whose tokens are counted once.
    """

    index: int
    first: bool
    engine: Engine
    generation: Generation


class Completions:
    """The two handlers.

    Args:
        serving: the model behind them.
    """

    def __init__(self, serving: Serving) -> None:
        self._serving = serving

    async def complete(self, request: web.Request) -> web.StreamResponse:
        """Answer /v1/completions."""
        body = await json_object(request)
        self._serving.check_model(body.get("model"))
        prompts = [self._prompt(prompt) for prompt in _prompts(body)]
        wanted = sampling(body, COMPLETION_MAX_TOKENS)
        return await self._answer(request, prompts, wanted, CompletionShape(*self._identity("cmpl")))

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """Answer /v1/chat/completions."""
        body = await json_object(request)
        self._serving.check_model(body.get("model"))
        if "messages" not in body:
            raise missing("messages")
        wanted = sampling(body, None)
        prompt = self._chat_prompt(body["messages"])
        return await self._answer(request, [prompt], wanted, ChatShape(*self._identity("chatcmpl")))

    def _identity(self, prefix: str) -> tuple[str, int, str, str, bool]:
        fingerprint = f"vllm-{self._serving.release.version}-rehearsal"
        name, current = self._serving.names[0], self._serving.release.is_current
        return f"{prefix}-{uuid.uuid4().hex[:16]}", int(time.time()), name, fingerprint, current

    def _prompt(self, prompt: str | list[int]) -> tuple[str, int]:
        tokenizer = self._serving.tokenizer
        if isinstance(prompt, str):
            tokens = len(tokenizer.encode(prompt))
        else:
            tokens, prompt = len(prompt), decoded(self._serving, prompt)
        if not tokens:
            raise RefusalError(
                "Either prompt or prompt_embeds must be provided and non-empty.", parameter="prompt"
            )
        return prompt, tokens

    def _chat_prompt(self, messages: Any) -> tuple[str, int]:
        if self._serving.template is None:
            raise RefusalError(
                "As of transformers v4.44, default chat template is no longer allowed, so you must provide a"
                " chat template if the tokenizer does not define one."
            )
        if not isinstance(messages, list) or not messages:
            raise wrong_type("messages", messages, "list")
        last_words = str(messages[-1].get("content", "")) if isinstance(messages[-1], Mapping) else ""
        try:
            tokens = len(self._serving.tokenizer.encode(self._serving.template.render(messages)))
        except (ValueError, TypeError) as error:
            raise RefusalError(str(error), parameter="messages") from error
        # The answer starts a new sentence: it does not go on with the user's own.
        return f"{last_words}\n.", tokens

    async def _answer(
        self, request: web.Request, prompts: list[tuple[str, int]], wanted: Sampling, shape: Shape
    ) -> web.StreamResponse:
        choices: list[Choice] = []
        try:
            for text, tokens in prompts:
                for number in range(wanted.n):
                    choices.append(
                        Choice(len(choices), number == 0, *self._serving.begin(text, tokens, wanted, number))
                    )
            if wanted.stream:
                return await self._stream(request, choices, wanted, shape)
            return await self._whole(choices, shape)
        finally:
            for choice in choices:
                choice.engine.abort(choice.generation)

    async def _whole(self, choices: list[Choice], shape: Shape) -> web.Response:
        answers = []
        for choice in choices:
            one = choice.generation
            while not one.finished:
                one.wake.clear()
                await one.wake.wait()
            if one.aborted:
                raise RefusalError("The server is shutting down.", status=HTTPStatus.INTERNAL_SERVER_ERROR)
            text = "".join(self._serving.texts(one, 0, one.produced))
            answers.append(shape.choice(choice.index, text, one.finish_reason, one.stopped_by))
        return web.json_response(shape.whole(answers, _usage(choices)), dumps=compact)

    async def _stream(
        self, request: web.Request, choices: list[Choice], wanted: Sampling, shape: Shape
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        if len(choices) == 1:
            await self._stream_one(response, choices[0], wanted, shape)
        else:
            await asyncio.gather(*(self._stream_one(response, choice, wanted, shape) for choice in choices))
        if any(choice.generation.aborted for choice in choices):
            await response.write(STOPPED)
        elif wanted.include_usage:
            await response.write(_event(shape.usage(_usage(choices))))
        await response.write(DONE)
        return response

    async def _stream_one(
        self, response: web.StreamResponse, choice: Choice, wanted: Sampling, shape: Shape
    ) -> None:
        one = choice.generation
        opening = shape.opening(choice.index)
        if opening is not None:
            await response.write(_event(opening))
        async for first, last in _portions(one):
            texts = self._serving.texts(one, first, last)
            if wanted.continuous_usage:
                events = self._with_usage(choice, texts, first, shape)
            else:
                events = shape.events(choice.index, texts)
            if last == one.length:
                events[-1] = _event(self._last(choice, texts[-1], wanted, shape))
            await response.write(b"".join(events))

    def _with_usage(self, choice: Choice, texts: list[str], first: int, shape: Shape) -> list[bytes]:
        prompt = choice.generation.prompt_tokens
        return [
            _event(shape.chunk(choice.index, text, None, None, usage(prompt, first + number)))
            for number, text in enumerate(texts, start=1)
        ]

    def _last(self, choice: Choice, text: str, wanted: Sampling, shape: Shape) -> dict[str, Any]:
        one = choice.generation
        counted = usage(one.prompt_tokens, one.length) if wanted.continuous_usage else None
        return shape.chunk(choice.index, text, one.finish_reason, one.stopped_by, counted)


async def json_object(request: web.Request) -> dict[str, Any]:
    """Read a request's body as FastAPI does.

    Raises:
        RefusalError: 400, it is no JSON object.
    """
    if request.content_type != "application/json":
        raise RefusalError("Unsupported Media Type: Only 'application/json' is allowed", kind="Bad Request")
    text = await request.text()
    try:
        body = json.loads(text)
    except json.JSONDecodeError as error:
        raise bad_json(error) from error
    if not isinstance(body, dict):
        raise wrong_type("", body, "dict")
    return body


def usage(prompt_tokens: int, completion_tokens: int) -> dict[str, int]:
    """Count tokens as the API's `usage` does."""
    return {
        "prompt_tokens": prompt_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
        "completion_tokens": completion_tokens,
    }


def compact(value: Any) -> str:
    """Write JSON without spaces, letters as they are, as vLLM's answers are."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def decoded(serving: Serving, tokens: list[int]) -> str:
    """Turn token ids of a request into text.

    Raises:
        RefusalError: 400, an id is not in the vocabulary.
    """
    try:
        return serving.tokenizer.decode(tokens)
    except KeyError as error:
        raise RefusalError(f"Token id {error.args[0]} is out of vocabulary", parameter="prompt") from error


async def _portions(one: Generation) -> AsyncIterator[tuple[int, int]]:
    """Follow an answer: index ranges of its tokens as they come, to its end."""
    written = 0
    while written < one.length:
        if one.produced == written:
            if one.aborted:
                return
            one.wake.clear()
            await one.wake.wait()
            continue
        produced = one.produced
        yield written, produced
        written = produced


def _usage(choices: list[Choice]) -> dict[str, int]:
    prompt_tokens = sum(choice.generation.prompt_tokens for choice in choices if choice.first)
    return usage(prompt_tokens, sum(choice.generation.produced for choice in choices))


def _event(chunk: dict[str, Any]) -> bytes:
    return f"data: {compact(chunk)}\n\n".encode()


def _prompts(body: Mapping[str, Any]) -> list[str | list[int]]:
    prompt = body.get("prompt")
    if prompt is None:
        raise missing("prompt")
    if isinstance(prompt, str):
        return [prompt]
    if not isinstance(prompt, list) or not prompt:
        raise wrong_type("prompt", prompt, "string")
    if all(isinstance(item, int) for item in prompt):
        return [prompt]
    if all(isinstance(item, str) for item in prompt) or all(isinstance(item, list) for item in prompt):
        return prompt
    raise wrong_type("prompt", prompt, "string")
