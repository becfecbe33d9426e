"""HTTP connections for many bytes and little work: the standard library's, with proxies and deadlines."""

from __future__ import annotations

import base64
import http.client
import os
import ssl
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from runbook.engine.errors import PassingError, Place, RunbookError

CONNECT_SECONDS = 10.0
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""Where no proxy is asked, whatever the environment says."""


class Connection:
    """A connection to the host of one URL, direct or through the proxy of the environment.

    Args:
        url: its scheme, host and port count.
        stall_s: seconds without a byte after which it is given up.
    """

    def __init__(self, url: str, stall_s: float) -> None:
        origin = urlsplit(url)
        self._proxy = _proxy_of(origin)
        self._stall_s = stall_s
        self._http = _open(origin, self._proxy)

    def begin(self, method: str, url: str, headers: Mapping[str, str]) -> None:
        """Send a request's head; connects first where that is not done yet."""
        if self._http.sock is None:
            self._http.connect()
            self._http.sock.settimeout(self._stall_s)  # type: ignore[attr-defined] # typeshed: None for good
        self._http.putrequest(method, self._target(url), skip_accept_encoding=True)
        for name, value in headers.items():
            self._http.putheader(name, value)
        if self._proxy and urlsplit(url).scheme == "http":
            for name, value in _authorization(self._proxy).items():
                self._http.putheader(name, value)
        self._http.endheaders()

    def send(self, piece: bytes | memoryview) -> None:
        """Send bytes of the request's body."""
        self._http.send(piece)

    def answer(self) -> http.client.HTTPResponse:
        """Read the answer's head; its body is read from what is returned."""
        return self._http.getresponse()

    def close(self) -> None:
        """Close it; it opens again by itself."""
        self._http.close()

    def _target(self, url: str) -> str:
        parts = urlsplit(url)
        if self._proxy and parts.scheme == "http":
            return url
        return parts._replace(scheme="", netloc="", fragment="").geturl() or "/"


@contextmanager
def passing_troubles(place: Place) -> Iterator[None]:
    """Turn what a network does (cut, silence, an answer in pieces) into an error that may pass by itself.

    Args:
        place: the request.
    """
    try:
        yield
    except RunbookError:
        raise  # some are OSErrors too
    except http.client.IncompleteRead as error:
        raise PassingError("the answer broke off", place=place) from error
    except http.client.HTTPException as error:
        raise PassingError(f"the answer is no HTTP: {type(error).__name__}", place=place) from error
    except TimeoutError as error:
        raise PassingError("the connection fell silent", place=place) from error
    except OSError as error:
        raise PassingError(f"the connection failed: {error.strerror or error}", place=place) from error


def _proxy_of(origin: SplitResult) -> SplitResult | None:
    host = origin.hostname or ""
    found = urllib.request.getproxies().get(origin.scheme)
    if not found or host in LOOPBACK or urllib.request.proxy_bypass(origin.netloc):
        return None
    return urlsplit(found if "://" in found else f"http://{found}")


def _open(origin: SplitResult, proxy: SplitResult | None) -> http.client.HTTPConnection:
    host, port = (
        (proxy or origin).hostname or "",
        proxy.port or http.client.HTTP_PORT if proxy else origin.port,
    )
    if origin.scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=CONNECT_SECONDS)
    secured = http.client.HTTPSConnection(host, port, timeout=CONNECT_SECONDS, context=_trusted())
    if proxy:
        secured.set_tunnel(origin.hostname or "", origin.port or 443, _authorization(proxy))
    return secured


def _authorization(proxy: SplitResult) -> dict[str, str]:
    if not proxy.username:
        return {}
    login = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}


@cache
def _trusted() -> ssl.SSLContext:
    """Trust what requests would trust: the bundle of the environment, the system's, or else certifi's."""
    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    if not bundle and ssl.get_default_verify_paths().cafile is None and find_spec("certifi"):
        bundle = str(import_module("certifi").where())
    if bundle and Path(bundle).is_dir():
        return ssl.create_default_context(capath=bundle)
    return ssl.create_default_context(cafile=bundle)
