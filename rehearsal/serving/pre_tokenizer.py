"""Cut text into words as a tokenizer.json says, with Python's own `re`."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator
from itertools import chain
from typing import Any

# What a ByteLevel step with use_regex cuts by.
GPT2_PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_PROPERTY = re.compile(r"\\p\{(\w+)\}")
_CLASS_OR_PROPERTY = re.compile(r"\[(?:\\.|[^\]\\])*\]|\\p\{\w+\}")


def splitter(description: dict[str, Any] | None) -> re.Pattern[str]:
    """Compile the pattern whose matches are the words.

    Args:
        description: `pre_tokenizer` of a tokenizer.json.

    Raises:
        ValueError: when it is not one of the byte-level kinds.
    """
    for step in _steps(description or {}):
        if step["type"] == "Split" and "Regex" in step["pattern"]:
            return _compile(step["pattern"]["Regex"])
        if step["type"] == "ByteLevel" and step.get("use_regex", True):
            return _compile(GPT2_PATTERN)
    raise ValueError("the rehearsal reads byte-level BPE tokenizers only: pre_tokenizer has no such step")


def _steps(description: dict[str, Any]) -> list[dict[str, Any]]:
    if description.get("type") == "Sequence":
        steps: list[dict[str, Any]] = description["pretokenizers"]
        return steps
    return [description] if description else []


def _compile(pattern: str) -> re.Pattern[str]:
    # What no alternative matches must not get lost: it stands for itself, as with the real library.
    return re.compile(_CLASS_OR_PROPERTY.sub(_spell_out, pattern) + r"|(?s:.)")


def _spell_out(found: re.Match[str]) -> str:
    text = found.group()
    if text.startswith("["):
        return _PROPERTY.sub(lambda name: _ranges(name.group(1)), text)
    return f"[{_ranges(text[3:-1])}]"


@functools.cache
def _ranges(category: str) -> str:
    points = [point for point in _assigned() if unicodedata.category(chr(point)).startswith(category)]
    return "".join(f"{_escape(first)}-{_escape(last)}" for first, last in _runs(points))


def _assigned() -> Iterator[int]:
    # No letter, mark or number is assigned outside of these planes.
    return chain(range(0x33480), range(0xE0100, 0xE01F0))


def _escape(point: int) -> str:
    return f"\\U{point:08x}"


def _runs(points: list[int]) -> Iterator[tuple[int, int]]:
    first = last = points[0]
    for point in points[1:]:
        if point != last + 1:
            yield first, last
            first = point
        last = point
    yield first, last
