"""The login that a credential plug-in gives: kept until it expires, asked for anew after a 401."""

from __future__ import annotations

import ssl
import threading
from datetime import UTC, datetime
from typing import Any

from runbook.clients.kube.exec_plugin import ExecPlugin
from runbook.clients.kube.logins import Headers, bearer
from runbook.clients.kube.tls import present
from runbook.engine.errors import CredentialsError


class ExecLogin:
    """A plug-in's credential.

    Args:
        plugin: the plug-in.
        tls: the settings of the connections; a certificate that the plug-in gives is used from there.
    """

    def __init__(self, plugin: ExecPlugin, tls: ssl.SSLContext) -> None:
        self._plugin = plugin
        self._tls = tls
        self._running = threading.Lock()
        self._given: Headers | None = None
        self._expires: datetime | None = None

    def headers(self) -> Headers:
        """Give the token's header; empty where the plug-in gave a certificate.

        Raises:
            CredentialsError: the plug-in failed.
        """
        with self._running:
            if self._given is None or self._expired():
                self._given = self._ask()
            return self._given

    def renew(self, refused: Headers) -> bool:
        """Run the plug-in again, unless another thread just has."""
        with self._running:
            if self._given is None or not self._given or dict(self._given) == dict(refused):
                self._given = self._ask()
            return True

    def _expired(self) -> bool:
        return self._expires is not None and self._expires <= datetime.now(UTC)

    def _ask(self) -> Headers:
        status = self._plugin.run()
        self._expires = self._moment(status.get("expirationTimestamp"))
        if certificate := status.get("clientCertificateData"):
            present(
                self._tls,
                str(certificate).encode(),
                str(status["clientKeyData"]).encode(),
                self._plugin.place,
            )
        return bearer(str(status["token"]), self._plugin.place) if status.get("token") else {}

    def _moment(self, text: Any) -> datetime | None:
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(str(text))
        except ValueError as error:
            raise CredentialsError(
                f"the login plug-in's expirationTimestamp {text!r} is not a time", place=self._plugin.place
            ) from error
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
