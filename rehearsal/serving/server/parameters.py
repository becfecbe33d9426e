"""The sampling parameters of a request, checked as vLLM checks them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.serving.release import Release
from rehearsal.serving.server.errors import RefusalError, bad_value, wrong_type

COMPLETION_MAX_TOKENS = 16
NOT_REHEARSED = (
    "logprobs",
    "echo",
    "use_beam_search",
    "suffix",
    "prompt_logprobs",
    "prompt_embeds",
    "top_logprobs",
)


@dataclass(frozen=True)
class Sampling:
    """How an answer is wanted.

    Args:
        max_tokens: most tokens of the answer; None = what the context leaves.
        stop: texts at which the answer ends.
        include_usage: end a stream with a chunk of usage.
        continuous_usage: usage in every chunk of a stream.
    """

    max_tokens: int | None
    min_tokens: int
    ignore_eos: bool
    n: int
    temperature: float
    seed: int | None
    stop: tuple[str, ...]
    stream: bool
    include_usage: bool
    continuous_usage: bool


def sampling(body: Mapping[str, Any], default_max_tokens: int | None) -> Sampling:
    """Read the sampling parameters of a request's body.

    Raises:
        RefusalError: a value has the wrong type or cannot be served.
    """
    _refuse_unrehearsed(body)
    usage = _typed(body, "stream_options", dict) or {}
    return Sampling(
        max_tokens=_max_tokens(body, default_max_tokens),
        min_tokens=_at_least("min_tokens", _typed(body, "min_tokens", int), 0) or 0,
        ignore_eos=_typed(body, "ignore_eos", bool) or False,
        n=_at_least("n", _typed(body, "n", int), 1) or 1,
        temperature=_temperature(body),
        seed=_typed(body, "seed", int),
        stop=_stop(body.get("stop")),
        stream=_typed(body, "stream", bool) or False,
        include_usage=bool(usage.get("include_usage")),
        continuous_usage=bool(usage.get("include_usage")) and bool(usage.get("continuous_usage_stats")),
    )


def answer_room(wanted: int | None, prompt_tokens: int, max_model_len: int, release: Release) -> int:
    """Tokens that the answer may have.

    Args:
        wanted: max_tokens of the request.

    Raises:
        RefusalError: the prompt, or prompt and answer together, do not fit the context.
    """
    if wanted is not None and wanted > max_model_len:
        raise bad_value(
            "max_tokens",
            wanted,
            f"max_tokens={wanted} cannot be greater than max_model_len={max_model_len}."
            " Please request fewer output tokens.",
        )
    room = max_model_len - prompt_tokens
    if room <= 0:
        raise bad_value(
            "input_tokens",
            prompt_tokens,
            f"This model's maximum context length is {max_model_len} tokens. However, your prompt contains"
            f" {prompt_tokens} input tokens, which exceeds this limit even without any output tokens."
            " Please reduce the length of the input prompt.",
        )
    if wanted is not None and wanted > room and not release.is_current:
        raise RefusalError(
            f"'max_tokens' or 'max_completion_tokens' is too large: {wanted}. This model's maximum context"
            f" length is {max_model_len} tokens and your request has {prompt_tokens} input tokens"
            f" ({wanted} > {max_model_len} - {prompt_tokens})."
        )
    return min(wanted or room, room)


def _max_tokens(body: Mapping[str, Any], default: int | None) -> int | None:
    for name in ("max_completion_tokens", "max_tokens"):
        value: int | None = _typed(body, name, int)
        if value is not None:
            return _at_least("max_tokens", value, 1)
    return default


def _refuse_unrehearsed(body: Mapping[str, Any]) -> None:
    for name in NOT_REHEARSED:
        if body.get(name):
            raise RefusalError(f"The rehearsal does not play `{name}`.", parameter=name)


def _typed(body: Mapping[str, Any], name: str, kind: type) -> Any:
    value = body.get(name)
    if value is None or (isinstance(value, kind) and not (kind is int and isinstance(value, bool))):
        return value
    raise wrong_type(name, value, kind.__name__)


def _at_least(name: str, value: int | None, least: int) -> int | None:
    if value is not None and value < least:
        raise bad_value(name, value, f"{name} must be at least {least}, got {value}.")
    return value


def _temperature(body: Mapping[str, Any]) -> float:
    value = body.get("temperature")
    if value is None:
        return 1.0
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_type("temperature", value, "float")
    if value < 0:
        raise bad_value("temperature", value, f"temperature must be non-negative, got {float(value)}.")
    return float(value)


def _stop(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    stops = [value] if isinstance(value, str) else value
    if not isinstance(stops, list) or not all(isinstance(stop, str) for stop in stops):
        raise wrong_type("stop", value, "string")
    if "" in stops:
        raise bad_value("stop", value, "stop cannot contain an empty string.")
    return tuple(stops)
