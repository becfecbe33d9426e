"""What hub and bucket say when they refuse, as one of the project's errors."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from time import time

from runbook.engine.errors import (
    CredentialsError,
    FailedError,
    PassingError,
    Place,
    RefusedError,
    RunbookError,
)

TOKEN_REMEDY = (
    "set hub.token: an access token of yours, from https://huggingface.co/settings/tokens, as HF_TOKEN"  # noqa: S105 - a sentence
)
MISSING = frozenset({"RepoNotFound", "RevisionNotFound", "EntryNotFound"})
RATE_LIMIT = re.compile(r";\s*r=0\s*;\s*t=(\d+)")
"""How the hub says that nothing is left of this window, and for how many seconds."""
MOST_WAITED_S = 300.0
"""The hub counts requests in windows of five minutes."""


def of_hub(status: int, headers: Mapping[str, str], text: str, place: Place) -> RunbookError:
    """Tell what a refusal of the hub means.

    Args:
        headers: X-Error-Code is what the hub's own clients go by.
        text: the body.
        place: the request.
    """
    code = _header(headers, "X-Error-Code")
    message = _header(headers, "X-Error-Message") or _said(text) or f"status {status}"
    if passes(status):
        return passing(status, headers, message, place)
    if code == "GatedRepo":
        remedy = f"accept the model's terms on its page, and {TOKEN_REMEDY}"
        return CredentialsError(message, place=place, remedy=remedy)
    if code in MISSING or status == 404:
        remedy = "look at checkpoint.repository and checkpoint.revision"
        return RefusedError(message, place=place, remedy=remedy)
    if status in {401, 403}:
        return CredentialsError(message, place=place, remedy=TOKEN_REMEDY)
    return RefusedError(message, place=place)


def of_bucket(status: int, headers: Mapping[str, str], text: str, place: Place) -> RunbookError:
    """Tell what a refusal of Cloud Storage means; the remedies are about uploads."""
    message = _said(text) or f"status {status}"
    if passes(status):
        return passing(status, headers, message, place)
    if status in {401, 403}:
        remedy = "the role roles/storage.objectUser on the bucket lets a login write into it"
        return CredentialsError(message, place=place, remedy=remedy)
    if status == 400:
        return FailedError(message, place=place, remedy="run the same line again: it moves only this file")
    return RefusedError(message, place=place)


def passes(status: int) -> bool:
    """Tell whether the same request may be answered better later."""
    return status in {408, 429} or status >= 500


def passing(status: int, headers: Mapping[str, str], message: str, place: Place) -> PassingError:
    """Make the error of a service that is busy, with the pause that it asks for."""
    return PassingError(f"{message} ({status})", place=place, retry_after=retry_after(headers))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read how many seconds a service asks to wait: a number, a date, or the end of the hub's own window."""
    value = _header(headers, "Retry-After").strip()
    if not value:
        window = RATE_LIMIT.search(_header(headers, "RateLimit"))
        value = window[1] if window else ""
    if not value:
        return None
    try:
        seconds = float(value) if value.isdigit() else parsedate_to_datetime(value).timestamp() - time()
    except ValueError:
        return None
    return min(max(seconds, 0.0), MOST_WAITED_S)


def _header(headers: Mapping[str, str], wanted: str) -> str:
    """Find a header however its name is written; empty where there is none."""
    return next((value for name, value in headers.items() if name.lower() == wanted.lower()), "")


def _said(text: str) -> str:
    """Find the sentence in a body of JSON; plain text is the sentence."""
    try:
        error = json.loads(text)["error"]
    except (ValueError, LookupError, TypeError):
        return "" if text.lstrip().startswith("<") else text.strip()[:200]
    return str(error["message"] if isinstance(error, dict) else error).rstrip(".")
