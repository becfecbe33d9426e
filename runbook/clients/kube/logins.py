"""Who asks the API server: the headers that each request carries, and what to do when they are refused."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from runbook.clients.auth import fresh
from runbook.engine.errors import CredentialsError, Place

Headers = Mapping[str, str]
FILE_SECONDS: Final = 60.0
"""After so long a token's file is read again, as client-go does."""


class Login(Protocol):
    """One way to log in."""

    def headers(self) -> Headers:
        """Give the headers of a request; empty where a certificate is the login."""

    def renew(self, refused: Headers) -> bool:
        """Log in anew after a 401; tell whether it is worth to ask again.

        Args:
            refused: the headers that were refused.
        """


class GivenLogin:
    """Headers that never change.

    Args:
        given: the headers.
    """

    def __init__(self, given: Headers) -> None:
        self._given = dict(given)

    def headers(self) -> Headers:
        """Give them."""
        return self._given

    def renew(self, refused: Headers) -> bool:  # noqa: ARG002 - every login has it
        """There is nothing else to try."""
        return False


class TokenFileLogin:
    """A token in a file that somebody else keeps fresh.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reading = threading.Lock()
        self._read_at = float("-inf")
        self._headers: Headers = {}

    def headers(self) -> Headers:
        """Give the token, at most a minute old.

        Raises:
            CredentialsError: the file cannot be read, or is empty.
        """
        with self._reading:
            if time.monotonic() - self._read_at > FILE_SECONDS:
                self._read()
            return self._headers

    def renew(self, refused: Headers) -> bool:
        """Read the file again."""
        with self._reading:
            self._read()
            return dict(self._headers) != dict(refused)

    def _read(self) -> None:
        place = Place.in_file(self._path)
        try:
            token = self._path.read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            raise CredentialsError(f"the login's token cannot be read: {error}", place=place) from error
        if not token:
            raise CredentialsError("the login's token file is empty", place=place)
        self._headers = bearer(token, place)
        self._read_at = time.monotonic()


class GoogleLogin:
    """The login of Google's other services.

    Args:
        credentials: google-auth credentials; their token is renewed before it expires.
    """

    def __init__(self, credentials: Any) -> None:
        self._credentials = credentials
        self._renewing = threading.Lock()

    def headers(self) -> Headers:
        """Give a token that has not expired."""
        with self._renewing:
            fresh(self._credentials)
            return bearer(self._credentials.token)

    def renew(self, refused: Headers) -> bool:  # noqa: ARG002 - every login has it
        """Not here: the credentials know by themselves when a token is too old."""
        return False


class InTheNameOf:
    """A login that acts for somebody else (`as`, `as-uid` of a kubeconfig's user).

    Args:
        login: who really asks.
        names: the headers that say for whom.
    """

    def __init__(self, login: Login, names: Headers) -> None:
        self._login = login
        self._names = dict(names)

    def headers(self) -> Headers:
        """Give the headers of both."""
        return {**self._login.headers(), **self._names}

    def renew(self, refused: Headers) -> bool:
        """Have who really asks log in anew."""
        own = {name: value for name, value in refused.items() if name not in self._names}
        return self._login.renew(own)


def bearer(token: str, place: Place | None = None) -> Headers:
    """Write the header of a token.

    Args:
        place: where it comes from.

    Raises:
        CredentialsError: no header can hold it; sent as it is it would stand in the transport's error.
    """
    if not (token.isascii() and token.isprintable()):
        raise CredentialsError("the login's token holds characters that cannot be sent", place=place)
    return {"Authorization": f"Bearer {token}"}


def basic(user: str, password: str) -> Headers:
    """Write the header of a name and a password."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")}
