"""What the API server's refusals mean to the operator."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import urllib3.exceptions
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic.exceptions import ResourceNotFoundError

from runbook.clients import permissions
from runbook.clients.kube.access import OF_GKE, Remedies
from runbook.engine.errors import (
    CapacityError,
    ConflictError,
    CredentialsError,
    ManifestError,
    PassingError,
    Place,
    RefusedError,
    RunbookError,
)

_UNCHANGEABLE: Final = re.compile(
    r"immutable|may not change once set|can not be less than|pod updates may not change fields"
)
_MANAGER: Final = re.compile(r'conflict with "([^"]+)"')


class GoneError(PassingError):
    """A watch's version is too old (410): list again, then watch on from there."""


class AbsentError(RefusedError):
    """The object, its namespace or its kind is not there (404)."""


class FieldConflictError(ConflictError):
    """Fields that are to be applied belong to other managers (409 with causes).

    Args:
        managers: their names.
    """

    def __init__(self, message: str, *, managers: frozenset[str], place: Place) -> None:
        super().__init__(message, place=place, remedy="--set kube.force=true takes these fields over")
        self.managers = managers


class ImmutableFieldError(ManifestError):
    """Fields that would change cannot be changed in a live object (422).

    Args:
        fields: their paths, as the API server names them.
    """

    def __init__(self, message: str, *, fields: tuple[str, ...], place: Place) -> None:
        super().__init__(message, place=place)
        self.fields = fields


class BrokenAnswerError(PassingError):
    """The answer ended too early, or is not what an API server sends."""


@contextmanager
def translated(request: str, remedies: Remedies) -> Iterator[None]:
    """Turn what the client raises into the project's errors.

    Args:
        request: method and path, for the error's place.
        remedies: of the cluster.

    Raises:
        RunbookError: whatever went wrong.
    """
    place = Place(request)
    try:
        yield
    except ApiException as error:
        raise of_answer(error.status or 0, _text(error), place, error.headers, remedies) from error
    except ResourceNotFoundError as error:
        raise ManifestError(f"the cluster does not know the kind: {error}", place=place) from error
    except urllib3.exceptions.SSLError as error:
        raise untrusted(str(error), place, remedies) from error
    except urllib3.exceptions.MaxRetryError as error:
        if isinstance(error.reason, urllib3.exceptions.SSLError):
            raise untrusted(str(error.reason), place, remedies) from error
        raise PassingError(f"no answer from the cluster: {_reason(error)}", place=place) from error
    except json.JSONDecodeError as error:
        raise BrokenAnswerError("the cluster's answer is not JSON", place=place) from error
    except urllib3.exceptions.HTTPError as error:
        raise BrokenAnswerError(f"the connection to the cluster broke: {error}", place=place) from error


def of_answer(
    status: int, body: str, place: Place, headers: Any = None, remedies: Remedies = OF_GKE
) -> RunbookError:
    """Make the error that an answer means.

    Args:
        status: HTTP status; 0 where TLS failed.
        body: a Status object as JSON, or any text.
        headers: of the answer.
        remedies: of the cluster.
    """
    answer = _status_object(body)
    message = str(answer.get("message") or body).strip().rstrip(".")
    causes = (answer.get("details") or {}).get("causes") or []
    # An apply that does not fit the schema comes back as 500, though nothing is wrong with the server.
    if status == 500 and "failed to create typed patch object" in message:
        return ManifestError(message, place=place)
    if status in {408, 429} or status >= 500:
        seconds = str((headers or {}).get("Retry-After", ""))
        wait = float(seconds) if seconds.isdecimal() else None
        return PassingError(f"{message} ({status})", place=place, retry_after=wait)
    if status == 409:
        return _conflict(message, causes, place)
    if status == 422 and _UNCHANGEABLE.search(message):
        fields = tuple(str(cause["field"]) for cause in causes if "field" in cause)
        return ImmutableFieldError(message, fields=fields, place=place)
    if status == 401:
        return unaccepted(place, remedies)
    return _refusal(status, message, place, remedies) if status else untrusted(message, place, remedies)


def _refusal(status: int, message: str, place: Place, remedies: Remedies) -> RunbookError:
    made: dict[int, Callable[[str, Place], RunbookError]] = {
        400: _unfit,
        404: _absent,
        410: _gone,
        422: _unfit,
    }
    if status == 403:
        return _forbidden(message, place, remedies)
    if status in made:
        return made[status](message, place)
    return RefusedError(f"{message} ({status})", place=place)


def _unfit(message: str, place: Place) -> RunbookError:
    return ManifestError(message, place=place)


def _absent(message: str, place: Place) -> RunbookError:
    return AbsentError(message, place=place)


def _gone(message: str, place: Place) -> RunbookError:
    return GoneError(message, place=place)


def _forbidden(message: str, place: Place, remedies: Remedies) -> RunbookError:
    if "exceeded quota" in message:
        return CapacityError(message, place=place, remedy="raise the namespace's ResourceQuota")
    if permissions.AUTHORIZER.search(message):
        return CredentialsError(message, place=place, remedy=remedies.permission(message))
    return RefusedError(message, place=place)


def _conflict(message: str, causes: list[dict[str, Any]], place: Place) -> RunbookError:
    owned = [f"{cause.get('field')} ({cause.get('message')})" for cause in causes]
    if not owned:
        return PassingError(message, place=place)
    managers = frozenset(_MANAGER.findall(" ".join(owned)))
    return FieldConflictError(f"another manager owns {', '.join(owned)}", managers=managers, place=place)


def unaccepted(place: Place, remedies: Remedies) -> CredentialsError:
    """Make the error of a login that the cluster does not know."""
    return CredentialsError("the cluster accepts no such login", place=place, remedy=remedies.login)


def untrusted(message: str, place: Place, remedies: Remedies) -> CredentialsError:
    """Make the error of a cluster that cannot prove who it is."""
    message = f"the cluster's certificate is not trusted: {message}"
    return CredentialsError(message, place=place, remedy=remedies.certificate)


def _status_object(body: str) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _text(error: ApiException) -> str:
    body: Any = error.body
    if isinstance(body, bytes):
        return body.decode("utf-8", "replace")
    return str(body or error.reason or "")


def _reason(error: urllib3.exceptions.MaxRetryError) -> str:
    return str(error.reason).rpartition(": ")[2] if error.reason else str(error)
