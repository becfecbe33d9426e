"""The JSONPath of printer columns: fields, indices, `[*]` and filters such as `[?(@.type=="Ready")]`."""

from __future__ import annotations

import re
from typing import Any

_STEP = re.compile(
    r"""\.(?P<field>(?:\\.|[^.\[\]\\])+)"""
    r"""|\[\?\(@(?P<where>[^=!]+?)\s*==\s*(?P<value>"[^"]*"|'[^']*'|[^)\s]+)\s*\)\]"""
    r"""|\[(?:'(?P<quoted>[^']*)'|(?P<index>-?\d+)|\*)\]"""
)


def found_at(path: str, value: Any) -> list[Any]:
    """List what a path leads to; nothing where a field is missing or the path cannot be read."""
    found, at = [value], 0
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            return []
        found = [below for entry in found for below in _below(step, entry)]
        at = step.end()
    return [entry for entry in found if entry is not None]


def _below(step: re.Match[str], value: Any) -> list[Any]:
    name = step["field"] if step["field"] is not None else step["quoted"]
    if name is not None and name != "*":
        key = re.sub(r"\\(.)", r"\1", name)
        return [value[key]] if isinstance(value, dict) and key in value else []
    entries = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    if step["where"] is not None:
        wanted = step["value"].strip("\"'")
        return [entry for entry in entries if wanted in map(_text, found_at(step["where"], entry))]
    if step["index"] is not None:
        index = int(step["index"])
        return entries[index : index + 1 or None]
    return entries


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
