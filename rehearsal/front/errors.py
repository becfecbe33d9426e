"""An error in the words and the shape of the API that gives it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

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


def google_error(status: int, message: str, **extra: Any) -> dict[str, Any]:
    """Build the error body of Google's newer APIs (container, serviceusage, cloudresourcemanager).

    Args:
        status: the HTTP status.
        message: the sentence that clients show.
        extra: further fields, such as another `status` or `details`.
    """
    error = {"code": status, "message": message, "status": CANONICAL_CODES.get(status, "UNKNOWN")}
    return {"error": error | extra}


def error_body(api: str, status: int, message: str) -> dict[str, Any]:
    """Build the error body that an API's own clients understand.

    Args:
        api: the API's name in the request log.
        status: the HTTP status.
        message: the sentence that clients show.
    """
    if api == "kubernetes":
        reason = KUBERNETES_REASONS.get(status, "")
        failure = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        return failure | {"message": message, "reason": reason, "code": status}
    if api in ("hub", "cdn"):
        return {"error": message}
    body = google_error(status, message)
    if api in ("storage", "compute"):
        reason = JSON_API_REASONS.get(status, "backendError")
        body["error"]["errors"] = [{"message": message, "domain": "global", "reason": reason}]
    return body


def error_response(
    api: str, status: int, message: str, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Answer with an API's own error.

    Args:
        api: the API's name in the request log.
        status: the HTTP status.
        message: the sentence that clients show.
        headers: more headers, such as Retry-After.
    """
    body = json.dumps(error_body(api, status, message), indent=1)
    return web.Response(status=status, text=body, content_type="application/json", headers=headers)
