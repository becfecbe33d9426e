r"""The client's saved JSON inside its log, which is the only way out of a Job.

The Job's script (manifests/) writes it between two marks, compressed and in numbered lines of a few hundred
characters with the SHA-256 of the whole in the first mark. A container runtime cuts lines of more than
16 KiB, and what the other stream says then comes between the pieces; a line that is lost, doubled or mixed
up with others is so either mended or noticed. The plain JSON between the marks is read as well.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from runbook.measurement.lines import without_progress

_BEGIN: Final = re.compile(r"----- bench\.json(?: gzip base64 sha256=(?P<sha256>[0-9a-f]{64}))? -----")
_END: Final = re.compile(r"----- end of bench\.json -----")
_PIECE: Final = re.compile(r"bench\.json:(?P<number>[0-9]+):(?P<data>[A-Za-z0-9+/=]+)", re.ASCII)
_MARK: Final = re.compile(r"bench\.json(?::[0-9]+:| gzip base64| -----)")


@dataclass(frozen=True)
class Carried:
    """What a log carries.

    Args:
        saved: the client's JSON; None where it is damaged.
        checked: whether a checksum says that it is whole.
        damage: what is wrong with it; empty where nothing is.
    """

    saved: dict[str, Any] | None
    checked: bool = False
    damage: str = ""


def read_carried(lines: Sequence[str]) -> Carried | None:
    """Read the last JSON that a log carries; None where it carries none."""
    starts = [number for number, line in enumerate(lines) if _BEGIN.search(line)]
    if not starts:
        marked = any(_MARK.search(line) for line in lines)
        return Carried(None, damage="the carried JSON has lost its first line") if marked else None
    start = starts[-1]
    end = next((n for n in range(start + 1, len(lines)) if _END.search(lines[n])), None)
    begin = _BEGIN.search(lines[start])
    inner = [without_progress(line).strip() for line in lines[start + 1 : end]]
    if begin and begin["sha256"]:
        return _unpacked(inner, begin["sha256"])
    return _plain(inner) if end is not None else Carried(None, damage="the carried JSON has no end")


def parse_object(text: str) -> dict[str, Any] | None:
    """Read a JSON object in which no key stands twice; None where it is none."""
    try:
        found = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _unpacked(lines: Sequence[str], sha256: str) -> Carried:
    pieces: dict[int, str] = {}
    for line in lines:
        for piece in _PIECE.finditer(line):
            pieces.setdefault(int(piece["number"]), piece["data"])
    ordered = "".join(pieces[number] for number in sorted(pieces))
    try:
        text = gzip.decompress(base64.b64decode(ordered, validate=True))
    except (binascii.Error, EOFError, OSError, zlib.error) as error:
        return Carried(None, damage=f"the carried JSON is damaged: {error}")
    if hashlib.sha256(text).hexdigest() != sha256:
        return Carried(None, damage="the carried JSON is damaged: its checksum differs")
    saved = parse_object(text.decode("utf-8", "replace"))
    return Carried(saved, checked=saved is not None, damage="" if saved else "the carried JSON is no object")


def _plain(lines: Sequence[str]) -> Carried:
    whole = parse_object("\n".join(lines))
    if whole is not None:
        return Carried(whole)
    for line in lines:
        found = parse_object(line) if line.startswith("{") else None
        if found is not None:
            return Carried(found)
    return Carried(None, damage="the carried JSON is damaged")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found
