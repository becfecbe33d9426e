"""Partial responses: the `fields` query parameter of Google's JSON APIs."""

from __future__ import annotations

import re
from typing import Any

from rehearsal.documents import Document
from rehearsal.storage.errors import StorageError

Mask = dict[str, "Mask"]


def select(document: Document, fields: str | None) -> Document:
    """Keep what the mask names, for instance `items(name,size),nextPageToken` or `items/name`.

    Raises:
        StorageError: 400 where the mask cannot be read.
    """
    if not fields:
        return document
    return dict(_keep(document, parse(fields)))


def parse(fields: str) -> Mask:
    """Read a mask into nested mappings; an empty one keeps everything below it."""
    tokens = re.findall(r"[(),/]|[^(),/\s]+", fields)
    mask = _list(tokens)
    if tokens:
        raise _invalid(fields)
    return mask


def _list(tokens: list[str]) -> Mask:
    mask: Mask = {}
    while True:
        _path(tokens, mask)
        if not tokens or tokens[0] != ",":
            return mask
        tokens.pop(0)


def _path(tokens: list[str], mask: Mask) -> None:
    if not tokens or tokens[0] in "(),/":
        raise _invalid("".join(tokens))
    below = mask.setdefault(tokens.pop(0), {})
    if tokens and tokens[0] == "/":
        tokens.pop(0)
        _path(tokens, below)
    elif tokens and tokens[0] == "(":
        tokens.pop(0)
        below.update(_list(tokens))
        if not tokens or tokens.pop(0) != ")":
            raise _invalid("".join(tokens))


def _keep(value: Any, mask: Mask) -> Any:
    if isinstance(value, list):
        return [_keep(item, mask) for item in value]
    if not mask or "*" in mask or not isinstance(value, dict):
        return value
    return {key: _keep(value[key], below) for key, below in mask.items() if key in value}


def _invalid(fields: str) -> StorageError:
    return StorageError(400, "invalidParameter", f"Invalid field selection {fields}")
