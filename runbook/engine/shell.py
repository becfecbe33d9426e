"""Commands as people write them for a shell: quoted where they must be, long ones over several lines."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from itertools import pairwise

WIDTH = 100
SHELL = ("sh", "-c")
_FLAG = re.compile(r"(--?[A-Za-z][\w-]*=)(.*)", re.DOTALL)


def shell_text(argv: Sequence[str]) -> str:
    """Write a command for pasting; a shell's script is written as it stands."""
    return _script(argv) or _broken([_quoted(word) for word in argv])


def one_line(argv: Sequence[str]) -> str:
    """Write a command for pasting, unbroken; a shell's script is written as it stands."""
    return _script(argv) or " ".join(_quoted(word) for word in argv)


def _script(argv: Sequence[str]) -> str | None:
    return argv[2] if tuple(argv[:2]) == SHELL and len(argv) == 3 else None


def with_value(name: str, source: Sequence[str], argv: Sequence[str]) -> list[str]:
    """Put what one command prints into another: a value that only the cloud knows.

    Args:
        name: stands in words of `argv` as `$NAME`.
        source: the command that prints the value.
        argv: the command that takes it.
    """
    taker = _broken([_expanding(word, name) for word in argv])
    return [*SHELL, f"{name}=$({shell_text(source)}) &&\n{taker}"]


def _quoted(word: str) -> str:
    flag, value = _parts(word)
    return flag + shlex.quote(value)


def _expanding(word: str, name: str) -> str:
    """Quote a word so that the shell puts in the value of one name, and nothing else."""
    flag, value = _parts(word)
    if f"${name}" not in value:
        return _quoted(word)
    escaped = re.sub(rf'[\\"`]|\$(?!{name}\b)', r"\\\g<0>", value)
    return f'{flag}"{escaped}"'


def _parts(word: str) -> tuple[str, str]:
    """Split `--flag=value`, as people quote only the value."""
    found = _FLAG.fullmatch(word)
    return (found[1], found[2]) if found else ("", word)


def _broken(words: Sequence[str]) -> str:
    line = " ".join(words)
    if len(line) <= WIDTH:
        return line
    lines: list[list[str]] = []
    for before, word in pairwise(["-=", *words]):
        if word.startswith("-") or (before.startswith("-") and "=" in before):
            lines.append([word])
        else:
            lines[-1].append(word)
    return " \\\n  ".join(map(" ".join, lines))
