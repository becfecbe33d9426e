"""The result block that the client prints, and everyone quotes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from runbook.measurement.figures import ESSENTIAL, LABELS, TITLES, Figures, is_count, key_of
from runbook.measurement.lines import without_progress

_HEADER: Final = re.compile(r"=+ Serving Benchmark Result =+")
_END: Final = re.compile(r"={20,}")
_TITLE: Final = re.compile(r"-+(?P<title>[^-].*[^-])-+")
_LINE: Final = re.compile(r"(?P<label>[A-Za-z][^:]*):\s+(?P<value>\S+)")
_COUNT: Final = re.compile(r"[0-9]+(?:\.0+)?", re.ASCII)
_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?", re.ASCII)
_KNOWN: Final = re.compile("|".join(map(re.escape, LABELS)) + r"|\b(?:ttft|tpot|itl|e2el)\b.*\(ms\)")


@dataclass
class Block:
    """The last result block of a log.

    Args:
        text: as it was printed, without what stood between its lines.
        figures: rounded as they are printed.
        unknown: lines and titles that are none of ours, in order: newer clients print more.
        damages: what shows that the block is not as the client printed it.
    """

    text: str = ""
    figures: Figures = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    damages: list[str] = field(default_factory=list)


def holds_block(text: str) -> bool:
    """Tell whether a block begins anywhere in a text."""
    return bool(_HEADER.search(text))


def after_last_block(lines: Sequence[str]) -> Sequence[str]:
    """Give what follows the last block; all where there is none."""
    plain = [without_progress(line).strip() for line in lines]
    starts = [number for number, line in enumerate(plain) if _HEADER.search(line)]
    if not starts:
        return lines
    return lines[(_end(plain, starts[-1]) or starts[-1]) + 1 :]


def read_blocks(lines: Sequence[str]) -> tuple[Block | None, int]:
    """Read the last block.

    Returns:
        the block, None where there is none; and how many there are.
    """
    plain = [without_progress(line).strip() for line in lines]
    starts = [number for number, line in enumerate(plain) if _HEADER.search(line)]
    strays = _strays(plain, starts)
    if not starts:
        return (Block(damages=strays) if strays else None), 0
    end = _end(plain, starts[-1])
    block = Block(damages=strays)
    if end is None:
        block.damages.append("the block has no end")
    inner = plain[starts[-1] + 1 : end]
    for line in inner:
        _take(block, line)
    missing = [key for key in ESSENTIAL if key not in block.figures]
    if missing:
        block.damages.append(f"the block has no {', '.join(missing)}")
    block.text = "\n".join([_HEADER.findall(plain[starts[-1]])[0], *filter(None, inner), "=" * 50])
    return block, len(starts)


def _end(plain: Sequence[str], start: int) -> int | None:
    return next((n for n in range(start + 1, len(plain)) if _END.fullmatch(plain[n])), None)


def _strays(plain: Sequence[str], starts: Sequence[int]) -> list[str]:
    """Find figures outside of every block: the block around them has lost its first line.

    The client says its concurrency at the start too.
    """
    inside: set[int] = set()
    for start in starts:
        inside.update(range(start, (_end(plain, start) or len(plain) - 1) + 1))
    for number, line in enumerate(plain):
        found = _LINE.fullmatch(line)
        if number not in inside and found and key_of(found["label"]) not in {None, "max_concurrency"}:
            return [f"a figure stands outside of every block: {line[:80]}"]
    return []


def _take(block: Block, line: str) -> None:
    title, found = _TITLE.fullmatch(line), _LINE.fullmatch(line)
    key = key_of(found["label"]) if found else None
    if found and key:
        _take_figure(block, key, found["value"], line)
    elif title and title["title"].lower() in TITLES:
        pass
    elif line:
        block.unknown.append(line)
        if _KNOWN.search(line.lower()) and "probe" not in line.lower():
            block.damages.append(f"a line of the block cannot be read: {line[:80]}")


def _take_figure(block: Block, key: str, value: str, line: str) -> None:
    if not (_COUNT if is_count(key) else _NUMBER).fullmatch(value):
        if value in {"inf", "nan"}:
            block.unknown.append(line)
        else:
            block.damages.append(f"a line of the block cannot be read: {line[:80]}")
        return
    figure = int(float(value)) if is_count(key) else float(value)
    if block.figures.setdefault(key, figure) != figure:
        block.damages.append(f"the block says {key} twice: {block.figures[key]} and {figure}")
