"""Reads that explain, and that a login may not be allowed: nothing is concluded from what was not seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from runbook.clients.kube.objects import Object
from runbook.engine.errors import CredentialsError

T = TypeVar("T")


def permitted(read: Callable[[], T], *, otherwise: T) -> T:
    """Read something, or give what leads to no conclusion where the login may not read it."""
    try:
        return read()
    except CredentialsError:
        return otherwise


def listed(read: Callable[[], list[Object]]) -> list[Object]:
    """Read objects, or none where the login may not read them."""
    nothing: list[Object] = []
    return permitted(read, otherwise=nothing)
