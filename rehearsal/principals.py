"""Who asks Google's APIs where it is not the operator, and the bearer tokens that stand for them."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

from aiohttp import web

_LIFETIME_SECONDS = 3600.0
_RENEWED_BELOW_SECONDS = 600.0


@dataclass(frozen=True)
class Principal:
    """Somebody whom IAM knows.

    Args:
        name: what refusals call them.
        members: every member of IAM policies that they are.
    """

    name: str
    members: tuple[str, ...]


PRINCIPAL: web.RequestKey[Principal] = web.RequestKey("principal", Principal)
"""Who brought the request's token; not set where it was the operator's, or none."""


@dataclass(frozen=True)
class _Token:
    text: str
    holder: Principal
    expires: float


class Principals:
    """The tokens that are good now; they end with the process, as do the Pods' programs that hold them."""

    def __init__(self) -> None:
        self._tokens: dict[str, _Token] = {}

    def token(self, principal: Principal) -> tuple[str, int]:
        """Give a token of the principal and its seconds left; the same again while these are not few."""
        now = time.monotonic()
        self._tokens = {text: token for text, token in self._tokens.items() if token.expires > now}
        found = next((token for token in self._tokens.values() if _serves(token, principal, now)), None)
        if found is None:
            text = f"ya29.rehearsal-pod-{secrets.token_urlsafe(32)}"
            found = self._tokens[text] = _Token(text, principal, now + _LIFETIME_SECONDS)
        return found.text, int(found.expires - now)

    def holder(self, text: str) -> Principal | None:
        """Say whose token this is; None where it is nobody's, or has expired."""
        found = self._tokens.get(text)
        return found.holder if found is not None and found.expires > time.monotonic() else None


def _serves(token: _Token, principal: Principal, now: float) -> bool:
    return token.holder == principal and token.expires - now > _RENEWED_BELOW_SECONDS
