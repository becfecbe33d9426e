"""The written runbook as its readers take it: sections with blocks to paste."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

HEADING = re.compile(r"^## (\S+) (.+)$", re.MULTILINE)
BLOCK = re.compile(
    r"(?:^(?:.*[.] )?(?P<label>\w+)[^.\n]*:\n\n)?^```sh\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)


@dataclass
class Section:
    """A step of the written runbook.

    Args:
        number: such as `2.2`.
        name: of the step.
        text: everything below the heading.
        blocks: what is to be pasted, by the word before: `Check`, `Undo`, `The` (same), `Instead`; or `do`.
    """

    number: str
    name: str
    text: str
    blocks: dict[str, str] = field(default_factory=dict)


def sections(markdown: str) -> dict[str, Section]:
    """Read the sections by their numbers, in order."""
    return {section.number: section for section in _sections(markdown)}


def _sections(markdown: str) -> Iterator[Section]:
    pieces = HEADING.split(markdown)[1:]
    for number, name, rest in zip(pieces[::3], pieces[1::3], pieces[2::3], strict=True):
        text = rest.split("\n# ")[0]
        blocks = {found["label"] or "do": found["text"] for found in BLOCK.finditer(text)}
        yield Section(number, name, text, blocks)
