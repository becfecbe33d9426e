"""Where bearer tokens come from: gcloud's own login, a file, application-default credentials, impersonation.

`gcloud auth login` alone does not give application-default credentials, so its token comes from gcloud's own
`config config-helper`, which also tells when it expires.
"""

from __future__ import annotations

import json
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import google.auth
import google.auth.credentials
import google.auth.environment_vars
import google.auth.exceptions

from runbook.engine.errors import CredentialsError, Place

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
CONFIG_HELPER = ("gcloud", "config", "config-helper", "--format=json", "--min-expiry=10m")
GCLOUD_SECONDS = 60
GCLOUD_LOGIN = "run `gcloud auth login`"
DEFAULT_LOGIN = "run `gcloud auth application-default login`"
DEFAULT_FILE = google.auth.environment_vars.CREDENTIALS
"""The environment variable that names a file of application-default credentials."""
READ_AGAIN = timedelta(minutes=5)
"""google-auth asks anew some four minutes before a token's end, so that a file is read again each minute."""
ERROR = re.compile(r"ERROR: (\([^)]*\) )?")
"""How gcloud begins the line that says what is wrong."""


class TokenFile(google.auth.credentials.Credentials):
    """The bearer token that a file holds, which others renew.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # google-auth is only partly typed
        self._path = path
        self.token: str | None = None

    def refresh(self, request: object) -> None:  # noqa: ARG002 - google-auth's interface
        """Read the file again.

        Raises:
            CredentialsError: the file cannot be read, or is empty.
        """
        place = Place.in_file(self._path)
        try:
            self.token = self._path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise CredentialsError(f"the token file cannot be read: {error.strerror}", place=place) from error
        if not self.token:
            raise CredentialsError("the token file is empty", place=place)
        self.expiry = datetime.now(UTC).replace(tzinfo=None) + READ_AGAIN


class GcloudLogin(google.auth.credentials.Credentials):
    """The account that `gcloud auth login` logged in; gcloud refreshes its token."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # google-auth is only partly typed
        self.token: str | None = None

    def refresh(self, request: object) -> None:  # noqa: ARG002 - google-auth's interface
        """Ask gcloud for a token that lasts ten minutes at least.

        Raises:
            CredentialsError: gcloud is not on the PATH, or nobody is logged in.
        """
        credential = _config_helper()["credential"]
        self.token = credential["access_token"]
        self.expiry = _naive_utc(credential["token_expiry"])


def application_default() -> Any:
    """Find the application-default credentials.

    Raises:
        CredentialsError: there are none.
    """
    try:
        credentials, _ = google.auth.default(scopes=SCOPES)
    except google.auth.exceptions.DefaultCredentialsError as error:
        raise CredentialsError(f"no application-default credentials: {error}") from error
    return credentials


def impersonated(source: Any, account: str, base: str) -> Any:
    """Speak in the name of a service account.

    Args:
        source: google-auth credentials that may (roles/iam.serviceAccountTokenCreator).
        account: the service account's address.
        base: the IAM Service Account Credentials API.
    """
    from google.auth.impersonated_credentials import Credentials

    return Credentials(  # type: ignore[no-untyped-call] # google-auth is only partly typed
        source_credentials=source,
        target_principal=account,
        target_scopes=SCOPES,
        iam_endpoint_override=f"{base}/v1/projects/-/serviceAccounts/{account}:generateAccessToken",
    )


def _naive_utc(text: str | None) -> datetime | None:
    """Read gcloud's expiry the way google-auth compares it; a token from a file has none."""
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None) if text else None


def _config_helper() -> dict[str, Any]:
    place = Place(" ".join(CONFIG_HELPER))
    try:
        done = subprocess.run(
            CONFIG_HELPER,
            capture_output=True,
            text=True,
            timeout=GCLOUD_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError as error:
        raise CredentialsError(
            "gcloud is not on the PATH",
            place=place,
            remedy=f"install it (https://cloud.google.com/sdk/docs/install), then {GCLOUD_LOGIN}",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise CredentialsError(
            f"gcloud gave no token within {GCLOUD_SECONDS} s", place=place, remedy=GCLOUD_LOGIN
        ) from error
    if done.returncode:
        raise CredentialsError(_first_error(done.stderr), place=place, remedy=GCLOUD_LOGIN)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _first_error(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [ERROR.sub("", line) for line in lines if ERROR.match(line)]
    return (errors or lines or ["gcloud gave no token and no reason"])[0].rstrip(".")
