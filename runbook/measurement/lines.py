"""A log's lines, freed from what terminals, container runtimes and progress bars put around them."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

_ANSI: Final = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[@-Z\\-_])")
_BREAK: Final = re.compile(r"\r\n|\n|\r")
_PREFIX: Final = re.compile(r"\[pod/[^\]\s]+\] ")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d) ?")
_CRI: Final = re.compile(r"(?P<stream>stdout|stderr) (?P<tag>[FP])(?::\S*)?(?: (?P<text>.*))?")
_PROGRESS: Final = re.compile(
    r"[^\S\n]*\d{1,3}%\|[^|]*\| (?P<done>\d+)/(?P<total>\d+) \[(?P<times>[^\]]*)\]", re.ASCII
)
_LEFT: Final = re.compile(r"<([\d:]+)", re.ASCII)


@dataclass(frozen=True)
class Progress:
    """How far the client's bar was when it was last drawn, in requests.

    Args:
        times: what the bar says of time, such as `00:07<00:00,  3.09it/s`.
    """

    done: int
    total: int
    times: str = ""

    @property
    def full(self) -> bool:
        """Whether every request has ended."""
        return self.done >= self.total

    @property
    def left(self) -> str:
        """The time left as the bar says it, such as `02:30`; empty where it does not know."""
        found = _LEFT.search(self.times)
        return found[1] if found else ""


def lines_of(text: str) -> list[str]:
    """Split a log into lines without colours, timestamps and the runtimes' own marks.

    The CRI format's partial records (a line is cut every 16 KiB) are joined, each stream's apart.
    """
    return [line.rstrip() for line in _joined(_BREAK.split(_ANSI.sub("", _from_docker(text))))]


def without_progress(line: str) -> str:
    """Take progress bars off a line: stderr is glued to stdout where both share a pipe."""
    return _PROGRESS.sub("", line)


def bars(lines: Iterable[str]) -> Iterator[Progress]:
    """Read the client's bar each time that it was drawn."""
    for line in lines:
        for found in _PROGRESS.finditer(line):
            # a bar with a name, such as `Fetching 14 files:`, counts something else
            if not line[: found.start()].endswith(":"):
                yield Progress(int(found["done"]), int(found["total"]), found["times"])


def last_progress(lines: Iterable[str]) -> Progress | None:
    """Find how far the client's bar came; None where none was drawn."""
    return next(iter(deque(bars(lines), maxlen=1)), None)


def _from_docker(text: str) -> str:
    """Unwrap Docker's json-file format."""
    if not text.startswith('{"log":'):
        return text
    return "".join(_docker_record(line) for line in text.split("\n"))


def _docker_record(line: str) -> str:
    try:
        record = json.loads(line)
        return str(record["log"])
    except (ValueError, KeyError, TypeError):
        return f"{line}\n"


def _joined(raw: Iterable[str]) -> Iterator[str]:
    pending: dict[str, str] = {}
    for line in raw:
        plain = _TIME.sub("", _PREFIX.sub("", line, count=1), count=1) if _marked(line) else line
        record = _CRI.fullmatch(plain) if plain is not line else None
        if record is None:
            yield plain
            continue
        whole = pending.pop(record["stream"], "") + (record["text"] or "")
        if record["tag"] == "P":
            pending[record["stream"]] = whole
        else:
            yield whole
    yield from pending.values()


def _marked(line: str) -> bool:
    """Tell whether a timestamp or a Pod's name stands at the beginning."""
    return bool(_TIME.match(line) or _PREFIX.match(line))
