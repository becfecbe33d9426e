"""Which requests are sent again: what may pass is, a certificate that is not believed is not."""

from __future__ import annotations

import ssl
from types import TracebackType
from typing import Final, Self

from urllib3 import BaseHTTPResponse
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import SSLError
from urllib3.util.retry import Retry

_CERTIFICATES: Final = ("CERTIFICATE", "UNKNOWN_CA")
"""In the names that OpenSSL gives to such errors and alerts (openssl-errors, SSL_R_*)."""


class Retries(Retry):
    """urllib3's rule, but for TLS errors about a certificate: the next try would end as this one did."""

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        """Count a failure.

        Raises:
            SSLError: a side does not believe the other's certificate.
            MaxRetryError: that was the last try.
        """
        if isinstance(error, SSLError) and _is_about_a_certificate(error):
            raise error
        return super().increment(method, url, response, error, _pool, _stacktrace)


def _is_about_a_certificate(error: SSLError) -> bool:
    cause = error.args[0] if error.args else None
    return isinstance(cause, ssl.SSLError) and any(word in (cause.reason or "") for word in _CERTIFICATES)
