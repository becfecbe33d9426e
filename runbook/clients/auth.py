"""One google-auth credentials object that serves the GKE API, Cloud Storage, gcsfs and Kubernetes alike.

`gcloud auth login` alone does not give application-default credentials, so the token comes from gcloud's own
`config config-helper`, which also tells when it expires. GOOGLE_APPLICATION_CREDENTIALS is the opt-in for CI,
impersonation and Workload Identity Federation.
"""

from __future__ import annotations

import json
import re
import subprocess
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import google.auth
import google.auth.credentials
import google.auth.environment_vars
import google.auth.exceptions

from runbook.engine.errors import CredentialsError, Place

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
CONFIG_HELPER = ("gcloud", "config", "config-helper", "--format=json", "--min-expiry=10m")
OPT_IN = google.auth.environment_vars.CREDENTIALS
"""The environment variable that chooses application-default credentials."""
LOGIN = "run `gcloud auth login`"
GCLOUD_SECONDS = 60
ERROR = re.compile(r"ERROR: (\([^)]*\) )?")
"""How gcloud begins the line that says what is wrong."""


class TokenFile(google.auth.credentials.Credentials):
    """The bearer token that a file holds, read anew whenever it is refused.

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
            CredentialsError: the file cannot be read.
        """
        try:
            self.token = self._path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise CredentialsError(
                f"the token file cannot be read: {error.strerror}", place=Place.in_file(self._path)
            ) from error


class GcloudLogin(google.auth.credentials.Credentials):
    """The account that `gcloud auth login` logged in; gcloud refreshes its token."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # google-auth is only partly typed
        self.token: str | None = None
        self._refreshing = threading.Lock()

    def refresh(self, request: object) -> None:  # noqa: ARG002 - google-auth's interface
        """Ask gcloud for a token that lasts ten minutes at least.

        Raises:
            CredentialsError: gcloud is not on the PATH, or nobody is logged in.
        """
        with self._refreshing:
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
        raise CredentialsError(
            f"no application-default credentials: {error}",
            place=Place(OPT_IN),
            remedy=f"mend or unset {OPT_IN}",
        ) from error
    return credentials


def fresh(credentials: Any) -> None:
    """Make sure, without a request to a service, that there is a token that has not expired.

    Raises:
        CredentialsError: there is no login, or it has expired.
    """
    if credentials.valid:
        return
    from google.auth.transport.requests import Request

    try:
        credentials.refresh(Request())
    except google.auth.exceptions.GoogleAuthError as error:
        raise CredentialsError(str(error), remedy=LOGIN) from error


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
            remedy=f"install it (https://cloud.google.com/sdk/docs/install), then {LOGIN}",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise CredentialsError(
            f"gcloud gave no token within {GCLOUD_SECONDS} s", place=place, remedy=LOGIN
        ) from error
    if done.returncode:
        raise CredentialsError(_first_error(done.stderr), place=place, remedy=LOGIN)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _first_error(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [ERROR.sub("", line) for line in lines if ERROR.match(line)]
    return (errors or lines or ["gcloud gave no token and no reason"])[0].rstrip(".")
