"""TLS for connections to the API server that the official client does not make itself."""

from __future__ import annotations

import ssl
from typing import Any

from runbook.engine.errors import CredentialsError, Place


def tls_context(configuration: Any) -> ssl.SSLContext:
    """Make a context with the authority and the certificate of the official client's configuration.

    Raises:
        CredentialsError: the login's certificates cannot be read.
    """
    try:
        context = ssl.create_default_context(
            cafile=configuration.ssl_ca_cert, cadata=configuration.ca_cert_data
        )
        if configuration.cert_file:
            context.load_cert_chain(configuration.cert_file, configuration.key_file)
    except OSError as error:
        raise CredentialsError(
            f"the login's certificates cannot be read: {error}",
            place=Place(configuration.cert_file or configuration.host),
            remedy="run `inv step 4.1`",
        ) from error
    if not configuration.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
