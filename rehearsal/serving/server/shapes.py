"""The JSON of answers: completions and chat differ in little more than names."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import Any, ClassVar


class Shape(ABC):
    """How the answers to one request are written.

    Args:
        id_: of the answer, such as cmpl-0123456789abcdef.
        created: seconds since the epoch.
        model: name that the answer carries.
        fingerprint: of the server.
        current: 0.32 and later, whose answers have some keys more.
    """

    whole_object: ClassVar[str]
    chunk_object: ClassVar[str]

    def __init__(self, id_: str, created: int, model: str, fingerprint: str, current: bool) -> None:
        self._head = {"id": id_, "object": self.chunk_object, "created": created, "model": model}
        self._fingerprint = fingerprint
        self._later = {"ec_transfer_params": None, "metrics": None} if current else {}
        self._later_of_choice = {"routed_experts": None} if current else {}
        self._frames: dict[int, tuple[str, str]] = {}

    @abstractmethod
    def choice(self, index: int, text: str, finish_reason: str, stop_reason: str | None) -> dict[str, Any]:
        """One finished answer."""

    @abstractmethod
    def delta(
        self, index: int, text: str, finish_reason: str | None, stop_reason: str | None
    ) -> dict[str, Any]:
        """The next piece of an answer."""

    def opening(self, index: int) -> dict[str, Any] | None:
        """What a stream starts with before the first token; None = nothing."""
        del index
        return None

    def whole(self, choices: list[dict[str, Any]], usage: dict[str, int]) -> dict[str, Any]:
        """The answer to a request that does not stream."""
        details = {"prompt_tokens_details": None, "completion_tokens_details": None}
        answer = self._head | {
            "object": self.whole_object,
            "choices": [choice | self._later_of_choice for choice in choices],
            "service_tier": None,
            "system_fingerprint": self._fingerprint,
            "usage": usage | details,
            "kv_transfer_params": None,
        }
        return answer | self._later

    def chunk(
        self,
        index: int,
        text: str,
        finish_reason: str | None,
        stop_reason: str | None,
        usage: dict[str, int] | None = None,
    ) -> dict[str, Any]:
        """One event of a stream."""
        chunk = self._head | {"choices": [self.delta(index, text, finish_reason, stop_reason)]}
        return chunk | {"usage": usage} if usage else chunk

    def usage(self, usage: dict[str, int]) -> dict[str, Any]:
        """The event that ends a stream when usage was asked for."""
        return self._head | {"choices": [], "usage": usage, "system_fingerprint": self._fingerprint}

    def events(self, index: int, texts: list[str]) -> list[bytes]:
        """One event a token, as bytes; what does not change between tokens is written only once."""
        if index not in self._frames:
            mark = "\0"
            event = json.dumps(self.chunk(index, mark, None, None), separators=(",", ":"), ensure_ascii=False)
            before, after = event.split(json.dumps(mark))
            self._frames[index] = (f"data: {before}", f"{after}\n\n")
        before, after = self._frames[index]
        return [f"{before}{json.dumps(text, ensure_ascii=False)}{after}".encode() for text in texts]


class CompletionShape(Shape):
    """/v1/completions."""

    whole_object = chunk_object = "text_completion"

    def choice(self, index: int, text: str, finish_reason: str, stop_reason: str | None) -> dict[str, Any]:
        """One finished answer."""
        return _completion(index, text, finish_reason, stop_reason) | {
            "token_ids": None,
            "prompt_logprobs": None,
            "prompt_token_ids": None,
        }

    def delta(
        self, index: int, text: str, finish_reason: str | None, stop_reason: str | None
    ) -> dict[str, Any]:
        """The next piece of an answer."""
        ids = {"prompt_token_ids": None, "token_ids": None}
        return _completion(index, text, finish_reason, stop_reason) | ids


class ChatShape(Shape):
    """/v1/chat/completions."""

    whole_object = "chat.completion"
    chunk_object = "chat.completion.chunk"

    def choice(self, index: int, text: str, finish_reason: str, stop_reason: str | None) -> dict[str, Any]:
        """One finished answer."""
        message: dict[str, Any] = {
            "role": "assistant",
            "content": text,
            "refusal": None,
            "tool_calls": [],
            "reasoning": None,
        }
        return {
            "index": index,
            "message": message,
            "logprobs": None,
            "finish_reason": finish_reason,
            "stop_reason": stop_reason,
            "token_ids": None,
        }

    def delta(
        self, index: int, text: str, finish_reason: str | None, stop_reason: str | None
    ) -> dict[str, Any]:
        """The next piece of an answer."""
        chunk = _chat_delta(index, {"content": text})
        return (
            chunk | {"finish_reason": finish_reason, "stop_reason": stop_reason} if finish_reason else chunk
        )

    def opening(self, index: int) -> dict[str, Any]:
        """The role comes first, without text."""
        return self._head | {"choices": [_chat_delta(index, {"role": "assistant", "content": ""})]}


def _completion(index: int, text: str, finish_reason: str | None, stop_reason: str | None) -> dict[str, Any]:
    return {
        "index": index,
        "text": text,
        "logprobs": None,
        "finish_reason": finish_reason,
        "stop_reason": stop_reason,
    }


def _chat_delta(index: int, delta: dict[str, Any]) -> dict[str, Any]:
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": None, "token_ids": None}
