"""An error in the words and the shape of the API that gives it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

CANONICAL_CODES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    412: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""google.rpc.Code's name for each HTTP status (google/rpc/code.proto)."""

JSON_API_REASONS = {
    400: "invalid",
    401: "authError",
    403: "forbidden",
    404: "notFound",
    409: "conflict",
    412: "conditionNotMet",
    429: "rateLimitExceeded",
    500: "internalError",
    503: "backendError",
}
"""The older APIs' `errors[].reason` (Cloud Storage, Compute Engine)."""

KUBERNETES_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}
"""metav1.StatusReason for each HTTP status."""


class GoogleError(Exception):
    """What one of Google's newer APIs refuses (container, serviceusage, cloudresourcemanager).

    Args:
        status: the HTTP status.
        message: the sentence that clients show.
        canonical: google.rpc.Code's name, where the HTTP status alone does not tell it.
        details: google.rpc messages, such as ErrorInfo.
    """

    def __init__(
        self, status: int, message: str, canonical: str = "", details: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.canonical = canonical or CANONICAL_CODES.get(status, "UNKNOWN")
        self.details = details

    def body(self) -> dict[str, Any]:
        """Build the answer's body."""
        error: dict[str, Any] = {"code": self.status, "message": self.message, "status": self.canonical}
        return {"error": error | ({"details": list(self.details)} if self.details else {})}


def error_info(reason: str, domain: str) -> list[dict[str, Any]]:
    """Build the details of an error that programs can tell from others (google.rpc.ErrorInfo)."""
    return [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": domain}]


def error_body(api: str, status: int, message: str, reason: str = "") -> dict[str, Any]:
    """Build the error body that an API's own clients understand.

    Args:
        api: the API's name in the request log.
        status: the HTTP status.
        message: the sentence that clients show.
        reason: the API's word for it, where it is not the status's usual one.
    """
    if api == "kubernetes":
        reason = reason or KUBERNETES_REASONS.get(status, "")
        failure = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        return failure | {"message": message, "reason": reason, "code": status}
    if api in ("hub", "cdn"):
        return {"error": message}
    if api in ("storage", "compute"):
        reason = reason or JSON_API_REASONS.get(status, "backendError")
        errors = [{"message": message, "domain": "global", "reason": reason}]
        return {"error": {"code": status, "message": message, "errors": errors}}
    info = error_info(reason, f"{api}.googleapis.com") if reason else []
    return GoogleError(
        status, message, "FAILED_PRECONDITION" if reason and status == 400 else "", info
    ).body()


def error_response(
    api: str, status: int, message: str, headers: Mapping[str, str] | None = None, reason: str = ""
) -> web.Response:
    """Answer with an API's own error.

    Args:
        api: the API's name in the request log.
        status: the HTTP status.
        message: the sentence that clients show.
        headers: more headers, such as Retry-After.
        reason: the API's word for it, where it is not the status's usual one.
    """
    body = json.dumps(error_body(api, status, message, reason), indent=1)
    return web.Response(status=status, text=body, content_type="application/json", headers=headers)


@web.middleware
async def google_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer with the error that a handler of a Google API raises."""
    try:
        return await handler(request)
    except GoogleError as error:
        return web.json_response(error.body(), status=error.status)
