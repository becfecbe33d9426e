"""Cut text into words as a tokenizer.json says, with Python's own `re`."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import chain, groupby
from operator import itemgetter
from typing import Any, Final

# What a ByteLevel step with use_regex cuts by.
GPT2_PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_PROPERTY = re.compile(r"\\p\{(\w+)\}")
_CLASS_OR_PROPERTY = re.compile(r"\[(?:\\.|[^\]\\])*\]|\\p\{\w+\}")

Run = tuple[str, int, int]
"""A category of Unicode, and the first and the last of neighbouring code points that are of it."""

ASCII: Final = 0x80
NOWHERE: Final = "\\U0010ffff"
"""A character that no text has, for a category without any."""


class Words:
    """Cuts text into words.

    Nearly all text is ASCII: a pattern that knows no other letters is made at once, the whole one if needed.

    Args:
        pattern: a regular expression that may name categories of Unicode, such as `\\p{L}`.
    """

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._ascii = _compile(pattern, ASCII)

    def findall(self, text: str) -> list[str]:
        """Give the words of a text, one after the other."""
        return (self._ascii if text.isascii() else self._whole).findall(text)

    @functools.cached_property
    def _whole(self) -> re.Pattern[str]:
        return _compile(self._pattern, None)


def splitter(description: dict[str, Any] | None) -> Words:
    """Find out what the words are.

    Args:
        description: `pre_tokenizer` of a tokenizer.json.

    Raises:
        ValueError: when it is not one of the byte-level kinds.
    """
    for step in _steps(description or {}):
        if step["type"] == "Split" and "Regex" in step["pattern"]:
            return Words(step["pattern"]["Regex"])
        if step["type"] == "ByteLevel" and step.get("use_regex", True):
            return Words(GPT2_PATTERN)
    raise ValueError("the rehearsal reads byte-level BPE tokenizers only: pre_tokenizer has no such step")


def _steps(description: dict[str, Any]) -> list[dict[str, Any]]:
    if description.get("type") == "Sequence":
        steps: list[dict[str, Any]] = description["pretokenizers"]
        return steps
    return [description] if description else []


def _compile(pattern: str, below: int | None) -> re.Pattern[str]:
    spelled_out = _CLASS_OR_PROPERTY.sub(lambda found: _spell_out(found.group(), below), pattern)
    # What no alternative matches must not get lost: it stands for itself, as with the real library.
    return re.compile(spelled_out + r"|(?s:.)")


def _spell_out(text: str, below: int | None) -> str:
    if text.startswith("["):
        return _PROPERTY.sub(lambda name: _ranges(name.group(1), below), text)
    return f"[{_ranges(text[3:-1], below)}]"


@functools.cache
def _ranges(category: str, below: int | None) -> str:
    near = groupby(_runs(below), key=lambda run: run[0].startswith(category))
    found = [list(runs) for wanted, runs in near if wanted]
    return "".join(f"{_escape(runs[0][1])}-{_escape(runs[-1][2])}" for runs in found) or NOWHERE


@functools.cache
def _runs(below: int | None) -> tuple[Run, ...]:
    return tuple(_neighbours(_assigned() if below is None else range(below)))


def _assigned() -> Iterable[int]:
    # No letter, mark or number is assigned outside of these planes.
    return chain(range(0x33480), range(0xE0100, 0xE01F0))


def _neighbours(points: Iterable[int]) -> Iterator[Run]:
    text = list(map(chr, points))
    for category, run in groupby(zip(map(unicodedata.category, text), text, strict=True), key=itemgetter(0)):
        inside = list(run)
        yield category, ord(inside[0][1]), ord(inside[-1][1])


def _escape(point: int) -> str:
    return f"\\U{point:08x}"
