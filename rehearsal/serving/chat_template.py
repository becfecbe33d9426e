"""A model's chat template: messages to the prompt that the model was trained on."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Message = dict[str, Any]


class ChatTemplate:
    """A Jinja template that came with a model.

    Args:
        source: text of chat_template.jinja, or of tokenizer_config.json's `chat_template`.
        special_tokens: bos_token, eos_token and so on, as the template may name them.
    """

    def __init__(self, source: str, special_tokens: dict[str, str]) -> None:
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        environment.globals["raise_exception"] = _raise
        environment.globals["strftime_now"] = lambda layout: datetime.now(UTC).strftime(layout)
        environment.filters["tojson"] = json.dumps
        self._template = environment.from_string(source)
        self._special_tokens = special_tokens

    def render(self, messages: list[Message]) -> str:
        """Write the messages as one prompt that ends where the assistant's answer starts."""
        return self._template.render(messages=messages, add_generation_prompt=True, **self._special_tokens)


def load(folder: Path) -> ChatTemplate | None:
    """Read a model folder's chat template; None when it has none."""
    settings = folder / "tokenizer_config.json"
    described: dict[str, Any] = json.loads(settings.read_text(encoding="utf-8")) if settings.is_file() else {}
    file = folder / "chat_template.jinja"
    source = file.read_text(encoding="utf-8") if file.is_file() else described.get("chat_template")
    if not isinstance(source, str):
        return None
    return ChatTemplate(
        source, {k: v for k, v in described.items() if k.endswith("_token") and isinstance(v, str)}
    )


def _raise(message: str) -> None:
    raise ValueError(message)
