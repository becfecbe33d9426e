"""TLS to an API server: whom to trust, and the login's certificate."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path

from runbook.engine.errors import CredentialsError, Place


def trusting(authorities: str | None, place: Place) -> ssl.SSLContext:
    """Make the settings of a client that trusts an authority.

    Args:
        authorities: certificates in PEM; None: those of this machine.
        place: where they come from.

    Raises:
        CredentialsError: that is no certificate.
    """
    try:
        context = ssl.create_default_context(cadata=authorities)
    except (ssl.SSLError, ValueError) as error:
        raise _unreadable(error, place) from error
    return _as_go(context)


def trusting_those_in(path: Path) -> ssl.SSLContext:
    """Make the settings of a client that trusts the authorities of a file, or of a folder that was rehashed.

    Raises:
        CredentialsError: there is no certificate in that file, or no such file.
    """
    try:
        context = (
            ssl.create_default_context(capath=path)
            if path.is_dir()
            else ssl.create_default_context(cafile=path)
        )
    except OSError as error:
        raise _unreadable(error, Place.in_file(path)) from error
    return _as_go(context)


def _unreadable(error: Exception, place: Place) -> CredentialsError:
    return CredentialsError(f"the cluster's certificate authority cannot be read: {error}", place=place)


def _as_go(context: ssl.SSLContext) -> ssl.SSLContext:
    """Look as Go's clients do: clusters' own authorities often lack what Python 3.13 demands of a chain."""
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def trusting_anybody() -> ssl.SSLContext:
    """Make the settings of a client that was told not to look (`insecure-skip-tls-verify`)."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def present(context: ssl.SSLContext, certificate: bytes, key: bytes, place: Place) -> None:
    """Log in by a certificate from the next connection on.

    Args:
        context: the settings of the connections.
        certificate: the certificate, with those of authorities in between, in PEM.
        key: its private key, in PEM, without a passphrase.
        place: where they come from.

    Raises:
        CredentialsError: they cannot be read, or do not belong together.
    """
    with tempfile.TemporaryDirectory(prefix="runbook-") as folder:  # ssl reads nothing but files
        pair = Path(folder) / "login.pem"
        pair.touch(mode=0o600)
        pair.write_bytes(key.rstrip() + b"\n" + certificate)
        try:
            context.load_cert_chain(pair, password=_no_passphrase)
        except OSError as error:
            raise CredentialsError(f"the login's certificate cannot be used: {error}", place=place) from error


def _no_passphrase() -> str:
    return ""
