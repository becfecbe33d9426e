"""The fenced blocks of a Markdown file: commands with what they print, and files a reader would write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\s*$")
EXIT = re.compile(r"exit (\d+)")
FILE = re.compile(r"# ((?:playbooks|runbook|manifests|vars)/[\w./-]+)")
ELISION = "..."


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Args:
        language: such as `console`.
        lines: without the fences.
        place: file and line, for messages.
    """

    language: str
    lines: list[str]
    place: str

    @property
    def file(self) -> str | None:
        """The file that the block shows in full: its first line is a comment with the path."""
        found = FILE.fullmatch(self.lines[0]) if self.lines else None
        return found[1] if found else None


@dataclass
class Command:
    """A command of a console block.

    Args:
        line: what is typed.
        expected: what is shown of its output; `...` stands for anything.
        code: its exit code.
    """

    line: str
    expected: list[str] = field(default_factory=list)
    code: int = 0


def blocks(document: Path) -> Iterator[Block]:
    """Read the fenced blocks of a file, in order."""
    opened: tuple[str, int] | None = None
    lines: list[str] = []
    for number, line in enumerate(document.read_text().splitlines(), 1):
        fence = FENCE.match(line)
        if not fence:
            lines.append(line)
        elif opened:
            yield Block(opened[0], lines, f"{document.name}:{opened[1]}")
            opened = None
        else:
            opened, lines = (fence["language"], number), []


def prose(document: Path) -> str:
    """Read what stands outside of the fenced blocks."""
    return re.sub(r"^ *```.*?^ *```\s*$", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)


def commands(block: Block) -> list[Command]:
    """Read the commands of a console block."""
    found: list[Command] = []
    for line in block.lines:
        if line.startswith("$ "):
            found.append(Command(line.removeprefix("$ ")))
        elif ended := EXIT.fullmatch(line):
            found[-1].code = int(ended[1])
        elif line.strip():
            found[-1].expected.append(line)
    return found


def shown(expected: str, output: str) -> bool:
    """Tell whether one line of the output is as shown; spaces do not count."""
    pieces = [r"\s+".join(map(re.escape, piece.split())) for piece in expected.strip().split(ELISION)]
    pattern = re.compile(r"\s*" + r"\s*.*\s*".join(pieces) + r"\s*")
    return any(pattern.fullmatch(line) for line in output.splitlines())
