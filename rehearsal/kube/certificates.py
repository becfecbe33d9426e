"""The authority that signs the certificates of the clusters' API servers; it is kept across restarts."""

from __future__ import annotations

import ssl
from pathlib import Path

import trustme

_NAMES = ("127.0.0.1", "localhost", "kubernetes.default.svc")


class Authority:
    """A certificate authority of this stand-in alone.

    Args:
        home: the folder of ca.pem, and of ca.key, which only its owner may read.
    """

    def __init__(self, home: Path) -> None:
        self.path = home / "ca.pem"
        key = home / "ca.key"
        if self.path.exists() and key.exists():
            self._authority = trustme.CA.from_pem(self.path.read_bytes(), key.read_bytes())
            return
        self._authority = trustme.CA(organization_name="rehearsal", organization_unit_name="rehearsal")
        key.touch(mode=0o600)
        key.write_bytes(self._authority.private_key_pem.bytes())
        self.path.write_bytes(self._authority.cert_pem.bytes())

    @property
    def certificate(self) -> str:
        """Give the authority's certificate, in PEM."""
        return self._authority.cert_pem.bytes().decode()

    def server_context(self) -> ssl.SSLContext:
        """Build the TLS settings of a server on loopback, with a fresh certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(*_NAMES).configure_cert(context)
        return context
