"""Everything that a request to one API server needs, whoever sends it."""

from __future__ import annotations

import hashlib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Protocol
from urllib.parse import urlsplit

from requests.utils import get_environ_proxies, select_proxy

from runbook.clients import permissions
from runbook.clients.kube.logins import Login
from runbook.clients.transport import is_loopback
from runbook.engine.errors import RunbookError

KNOCK_SECONDS: Final = 15.0


class Way(Protocol):
    """A port of this machine that leads to the API server."""

    @property
    def port(self) -> int:
        """The port, on loopback."""

    def trouble(self) -> RunbookError | None:
        """Tell why nothing passes; None where nothing is known to be wrong."""


@dataclass(frozen=True)
class Remedies:
    """What helps where the cluster and this machine do not believe each other, or the login may too little.

    Args:
        login: the cluster takes nobody's word for who asks.
        certificate: this machine does not take the cluster's.
        permission: the login may not do something; made of the refusal.
    """

    login: str
    certificate: str
    permission: Callable[[str], str]


OF_GKE: Final = Remedies(
    login="run `inv step 4.1`, and look whether you are logged in",
    certificate="run `inv step 4.1`",
    permission=permissions.in_cluster,
)


@dataclass(frozen=True)
class Access:
    """How to reach an API server.

    Args:
        server: its address, such as `https://34.1.2.3`.
        tls: whom to trust, and the login's certificate.
        login: who asks.
        server_name: the name that its certificate must have; None: that of the address.
        proxy: address of an HTTP proxy; None: none.
        way: where requests go instead of to the address itself.
        remedies: what helps where it does not work.
    """

    server: str
    tls: ssl.SSLContext
    login: Login
    server_name: str | None = None
    proxy: str | None = None
    way: Way | None = None
    remedies: Remedies = OF_GKE

    @property
    def address(self) -> str:
        """Where requests go."""
        if self.way is None:
            return self.server
        parts = urlsplit(self.server)
        return parts._replace(netloc=f"127.0.0.1:{self.way.port}").geturl()

    @property
    def target(self) -> tuple[str, int]:
        """Host and port of the API server itself."""
        parts = urlsplit(self.server)
        return str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)

    @property
    def verified(self) -> bool:
        """Whether the API server must prove who it is."""
        return self.tls.verify_mode is ssl.CERT_REQUIRED

    @property
    def identity(self) -> str:
        """A short name of the cluster, the same whichever way it is reached."""
        authorities = b"".join(sorted(self.tls.get_ca_certs(binary_form=True)))
        return hashlib.sha256(self.server.encode() + authorities).hexdigest()[:16]

    def knock(self, port: int) -> None:
        """Connect to a port of this machine that should lead to the API server.

        Raises:
            OSError: nobody is behind it.
        """
        with socket.create_connection(("127.0.0.1", port), timeout=KNOCK_SECONDS) as plain:
            if not self.server.startswith("https:"):
                return
            try:
                with self.tls.wrap_socket(plain, server_hostname=self.server_name or self.target[0]):
                    return
            except ssl.SSLCertVerificationError:
                return  # somebody is; that it is somebody else is told where something is asked

    def through(self, way: Way) -> Access:
        """Reach it by a port of this machine; its certificate must still have its own name."""
        return replace(self, way=way, server_name=self.server_name or self.target[0], proxy=None)


def environments_proxy(server: str) -> str | None:
    """Name the proxy that the environment (HTTPS_PROXY, NO_PROXY) sets for an address; None: none."""
    if is_loopback(server):
        return None
    return select_proxy(server, get_environ_proxies(server, no_proxy=None)) or None
