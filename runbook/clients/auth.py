"""One google-auth credentials object that serves the GKE API, Cloud Storage, gcsfs and Kubernetes alike.

The variables `credentials.*` choose where its tokens come from. It is renewed by whoever finds it about to
expire, once for all threads, and whatever fails says what to run.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import google.auth.credentials
import google.auth.exceptions
import requests
from google.auth.transport.requests import AuthorizedSession

from runbook.clients import tokens
from runbook.clients.transport import decoded
from runbook.config.infrastructure import Credentials
from runbook.engine.errors import CredentialsError, PassingError, Place

TOKEN_CREATOR = "roles/iam.serviceAccountTokenCreator"  # noqa: S105 - the name of a role
UNAUTHORIZED = 401


class Login(google.auth.credentials.Credentials):
    """Tokens of one source, renewed once however many threads find them expired.

    Args:
        source: google-auth credentials.
        remedy: what to run where the source gives no token, or one that is refused.
    """

    def __init__(self, source: Any, remedy: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # google-auth is only partly typed
        self._source = source
        self._renewing = threading.Lock()
        self.remedy = remedy
        self.token: str | None = None

    def refresh(self, request: Any) -> None:
        """Have the source make another token, unless another thread just has.

        Raises:
            CredentialsError: there is no login, it has expired, or it may not impersonate.
            PassingError: the source was not reached.
        """
        before = self.token
        with self._renewing:
            if self.token != before:
                return
            try:
                self._source.refresh(request)
            except google.auth.exceptions.TransportError as error:
                raise PassingError(f"no token: {_said(error)}") from error
            except google.auth.exceptions.GoogleAuthError as error:
                raise CredentialsError(_said(error), remedy=self.remedy) from error
            except CredentialsError as error:
                error.remedy = error.remedy or self.remedy
                raise
            self.expiry, self.token = self._source.expiry, self._source.token

    def apply(self, headers: Any, token: str | None = None) -> None:
        """Put the token into a request's headers, with what the source wants beside it (a quota project)."""
        self._source.apply(headers, token or self.token)


class LoggedInSession(AuthorizedSession):
    """A session whose requests carry a login's token, and which says what to run where that is refused.

    Args:
        login: whose requests they are.
    """

    def __init__(self, login: Login) -> None:
        super().__init__(login)  # type: ignore[no-untyped-call] # google-auth is only partly typed
        self._login = login

    def request(self, method: str, url: str, *given: Any, **options: Any) -> requests.Response:  # type: ignore[override] # handed on as given
        """Send a request; a token that is refused is renewed once.

        Raises:
            CredentialsError: the fresh token is refused too.
        """
        response: requests.Response = super().request(method, url, *given, **options)  # type: ignore[no-untyped-call] # as above
        if response.status_code == UNAUTHORIZED:
            self._refuse(method, response)
        return response

    def _refuse(self, method: str, response: requests.Response) -> NoReturn:
        error = decoded(response).get("error")
        said = error.get("message") if isinstance(error, dict) else None
        raise CredentialsError(
            str(said or response.reason).rstrip("."),
            place=Place(f"{method} {response.url}"),
            remedy=self._login.remedy,
        )


def rehearsed(token_file: Path) -> Login:
    """Log in to the rehearsal."""
    return Login(tokens.TokenFile(token_file), "run `inv rehearsal.down rehearsal.up`")


def chosen(wanted: Credentials, iam_credentials: str) -> Login:
    """Log in as the variables say.

    Args:
        wanted: the variables `credentials.*`.
        iam_credentials: base address of the IAM Service Account Credentials API.

    Raises:
        CredentialsError: there are no application-default credentials.
    """
    login = _login(wanted)
    if wanted.impersonate is None:
        return login
    grant = ("gcloud", "iam", "service-accounts", "add-iam-policy-binding", wanted.impersonate)
    return Login(
        tokens.impersonated(login, wanted.impersonate, iam_credentials),
        f"have run `{' '.join(grant)} --member=user:YOUR_ACCOUNT --role={TOKEN_CREATOR}`",
    )


def fresh(credentials: Any) -> None:
    """Make sure, without a request to a service, that there is a token that has not expired.

    Raises:
        CredentialsError: there is no login, or it has expired.
    """
    if credentials.valid:
        return
    from google.auth.transport.requests import Request

    credentials.refresh(Request())


def _login(wanted: Credentials) -> Login:
    match wanted.source:
        case "gcloud":
            return Login(tokens.GcloudLogin(), tokens.GCLOUD_LOGIN)
        case "application-default":
            return _application_default(os.environ)
        case "token-file":
            path = Path(wanted.token_file or "").expanduser()
            return Login(
                tokens.TokenFile(path),
                f"write a fresh token: (umask 077; gcloud auth print-access-token > {path})",
            )


def _application_default(environment: Mapping[str, str]) -> Login:
    named = environment.get(tokens.DEFAULT_FILE)
    remedy = f"mend or unset {tokens.DEFAULT_FILE}" if named else tokens.DEFAULT_LOGIN
    try:
        return Login(tokens.application_default(), remedy)
    except CredentialsError as error:
        error.remedy, error.place = remedy, Place(tokens.DEFAULT_FILE) if named else None
        raise


def _said(error: google.auth.exceptions.GoogleAuthError) -> str:
    """Read an error of google-auth: its sentence, and Google's own words where an answer is with it."""
    sentence = str(error.args[0]) if error.args else str(error)
    answer = error.args[1] if error.args[1:] else None
    try:
        details = json.loads(answer)["error"]["message"] if isinstance(answer, str) else None
    except (ValueError, LookupError, TypeError):
        details = None
    return f"{sentence}: {details}".rstrip(".") if details else sentence.rstrip(".")
