"""HTTP as all REST clients of this package do it: deadlines, retried reads, proxies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from runbook.clients.retries import Retries

CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0
TIMEOUT = (CONNECT_SECONDS, READ_SECONDS)
"""Seconds to connect, and seconds without a byte."""

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def is_loopback(url: str) -> bool:
    """Tell whether an address is on this machine, where no proxy can reach it."""
    return urlsplit(url).hostname in LOOPBACK


class _Adapter(HTTPAdapter):
    """Never hands a loopback request to a proxy, whatever the environment says."""

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        direct = is_loopback(request.url or "")
        return super().send(request, stream, timeout, verify, cert, None if direct else proxies)


def retried_reads() -> Retries:
    """Make the rule for reads: five more tries, slower each time, or when the service says (Retry-After)."""
    return Retries(
        total=5,
        backoff_factor=0.2,
        backoff_max=10,
        backoff_jitter=0.2,
        status_forcelist=(429, 500, 502, 503, 504),
        allowed_methods=("GET", "HEAD"),
        respect_retry_after_header=True,
        retry_after_max=60,
        raise_on_status=False,
    )


def prepare(session: requests.Session, *, once: bool = False) -> None:
    """Give a session the rules of this package.

    Args:
        session: any session, with or without credentials.
        once: try nothing again: who asks does so soon, or asks somebody else.
    """
    adapter = _Adapter(max_retries=0 if once else retried_reads(), pool_maxsize=16)
    session.mount("https://", adapter)
    session.mount("http://", adapter)


def plain_session(*, once: bool = False) -> requests.Session:
    """Open a session without credentials; `once` tries nothing again."""
    session = requests.Session()
    prepare(session, once=once)
    return session


def decoded(response: requests.Response) -> dict[str, Any]:
    """Read a response's JSON object; an empty or foreign body is an empty one."""
    try:
        found = response.json()
    except requests.exceptions.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
