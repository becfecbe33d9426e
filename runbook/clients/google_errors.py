"""What a Google API's refusal means to the operator: one of the project's errors, with Google's own words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import google.auth.exceptions
import requests

from runbook.clients import permissions
from runbook.clients.transport import decoded
from runbook.engine.errors import (
    CapacityError,
    ConflictError,
    CredentialsError,
    MissingError,
    PassingError,
    Place,
    RefusedError,
    RunbookError,
)

BUSY = re.compile(
    r"incompatible operation"
    r"|is currently (creating|deleting|upgrading|updating)"
    r"|is currently being created, deleted, updated or repaired"
    r"|[Tt]oo many operations"
    r"|CLUSTER_ALREADY_HAS_OPERATION"
)
"""How GKE says that another operation must end first (HTTP 400 or 429)."""

CAPACITY = re.compile(
    r"[Rr]eservation .*(does not have enough|insufficient)"
    r"|STOCKOUT|stockout|ZONE_RESOURCE_POOL_EXHAUSTED|QUOTA_EXCEEDED|[Ii]nsufficient regional quota"
    r"|does not have enough resources|no more capacity"
)
"""How GKE and Compute Engine say that there are no machines to be had."""


SHORTAGES = (
    (
        re.compile(r"[Rr]eservation"),
        "free a machine of the reservation, enlarge it, or choose another node_pool.reservation or "
        "node_pool.capacity, and run the same line again",
    ),
    (
        re.compile(r"quota|QUOTA"),
        "ask for more quota (console: IAM & Admin, Quotas), or take machines of a reservation, which need "
        "none (node_pool.capacity), and run the same line again",
    ),
    (
        re.compile(""),
        "run the same line again later, or choose another zone, or node_pool.capacity flex-start, which "
        "waits for machines",
    ),
)
"""What to do about each kind of shortage: of a reservation, of quota, and else of machines in the zone."""


LOG_IN = "run `inv step 1`: it says how to log in"


class BusyError(PassingError):
    """Another operation on the same cluster must end first; nothing was changed."""


def refuse(response: requests.Response, *, supplied_by: str) -> NoReturn:
    """Raise the error that a failed response means.

    Args:
        response: status 400 or above.
        supplied_by: the step module that makes what a 404 misses.

    Raises:
        RunbookError: always.
    """
    details = decoded(response).get("error")
    details = details if isinstance(details, dict) else {}
    message = str(details.get("message") or response.text.strip() or response.reason).strip().rstrip(".")
    method = response.request.method
    raise of_status(
        response.status_code,
        message,
        reasons=str(details.get("details", "")),
        place=Place(f"{method} {response.url}"),
        supplied_by=supplied_by,
        retry_after=_retry_after(response),
    )


def of_status(
    status: int,
    message: str,
    *,
    place: Place,
    supplied_by: str,
    reasons: str = "",
    retry_after: float | None = None,
) -> RunbookError:
    """Make the error that an HTTP status and its message mean.

    Args:
        status: 400 or above.
        message: Google's message.
        place: the request.
        supplied_by: the step module that makes what a 404 misses.
        reasons: the machine-readable details, as text.
        retry_after: seconds that the service asked for.
    """
    if status == 404:
        return MissingError(message, supplied_by=supplied_by, place=place)
    if status >= 500 or status == 408:
        return PassingError(f"{message} ({status})", place=place, retry_after=retry_after)
    if BUSY.search(message) or BUSY.search(reasons):
        return BusyError(message, place=place, retry_after=retry_after)
    if CAPACITY.search(message):
        return capacity(message, place)
    if status == 429:
        return PassingError(message, place=place, retry_after=retry_after)
    return _refusal(status, message, reasons, place)


def capacity(message: str, place: Place, *, left_over: bool = False) -> CapacityError:
    """Make the error of machines that are not to be had.

    Args:
        message: Google's words.
        place: the request.
        left_over: whether a node pool without nodes is left, which must go before the next attempt.
    """
    remedy = next(remedy for said, remedy in SHORTAGES if said.search(message))
    first = "`inv step 6.2` deletes the node pool that is left in ERROR; then " if left_over else ""
    return CapacityError(message, place=place, remedy=first + remedy)


@contextmanager
def passing_troubles(place: Place) -> Iterator[None]:
    """Turn what goes wrong before there is a response into the project's errors.

    Args:
        place: the request.

    Raises:
        PassingError: the service was not reached, or did not answer.
        CredentialsError: no token could be had.
    """
    try:
        yield
    except google.auth.exceptions.TransportError as error:
        raise PassingError(f"the login service was not reached: {error}", place=place) from error
    except google.auth.exceptions.GoogleAuthError as error:
        raise CredentialsError(str(error), place=place, remedy=LOG_IN) from error
    except requests.exceptions.RequestException as error:
        raise PassingError(_plain(error), place=place) from error


def _refusal(status: int, message: str, reasons: str, place: Place) -> RunbookError:
    if status == 401:
        return CredentialsError(message, place=place, remedy=LOG_IN)
    if "SERVICE_DISABLED" in reasons or "it is disabled" in message:
        return RefusedError(
            message, place=place, remedy="enable the API: run `inv step 1` to see which are off"
        )
    if status == 403:
        return CredentialsError(message, place=place, remedy=permissions.remedy(message, place.source))
    if status in {409, 412}:
        return ConflictError(
            message, place=place, remedy="run the same line again: it goes on from what is there"
        )
    return RefusedError(message, place=place)


def _plain(error: requests.exceptions.RequestException) -> str:
    names: dict[type[BaseException], str] = {
        requests.exceptions.ConnectTimeout: "no connection within the time limit",
        requests.exceptions.ReadTimeout: "no answer within the time limit",
        requests.exceptions.ProxyError: "the proxy could not be reached",
        requests.exceptions.SSLError: f"TLS failed: {error}",
    }
    for kind, text in names.items():
        if isinstance(error, kind):
            return text
    return f"the connection failed: {_cause(error)}"


def _cause(error: BaseException) -> str:
    reason = getattr(error.args[0], "reason", error.args[0]) if error.args else error
    return str(reason).rpartition(": ")[2]


def _retry_after(response: requests.Response) -> float | None:
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else None
