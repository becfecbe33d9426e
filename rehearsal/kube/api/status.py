"""Kubernetes' errors: a Status object with a code, a reason and details."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from rehearsal.kube.api.kinds import Kind
from rehearsal.kube.api.store import Object


class ApiError(Exception):
    """A request that is refused.

    Args:
        code: HTTP status.
        reason: the machine's word for it, such as NotFound.
        details: name, group, kind, causes.
    """

    def __init__(self, code: int, reason: str, message: str, details: Object | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details or {}

    def status(self) -> Object:
        """Give the Status object that answers the request."""
        status: Object = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        }
        if self.details:
            status["details"] = self.details
        return status


@dataclass(frozen=True)
class Cause:
    """One field that is wrong.

    Args:
        reason: FieldValueRequired, FieldValueInvalid, FieldValueForbidden, FieldValueNotSupported...
        message: without the field's path.
    """

    field: str
    reason: str
    message: str


def required(field: str, detail: str = "") -> Cause:
    """Say that a field must be there."""
    return Cause(field, "FieldValueRequired", "Required value" + (f": {detail}" if detail else ""))


def invalid(field: str, value: Any, detail: str) -> Cause:
    """Say that a field's value will not do."""
    return Cause(field, "FieldValueInvalid", f"Invalid value: {_shown(value)}: {detail}")


def forbidden_field(field: str, detail: str) -> Cause:
    """Say that a field may not be set or changed."""
    return Cause(field, "FieldValueForbidden", f"Forbidden: {detail}")


def unsupported(field: str, value: str, supported: list[str], *, ordered: bool = False) -> Cause:
    """Say that a field takes certain values only.

    Args:
        ordered: name them in the order given, as a custom kind's schema does.
    """
    listed = ", ".join(f'"{name}"' for name in (supported if ordered else sorted(supported)))
    return Cause(field, "FieldValueNotSupported", f'Unsupported value: "{value}": supported values: {listed}')


def _shown(value: Any) -> str:
    """Write a value as messages do: as JSON (ErrorBody of k8s.io/apimachinery/pkg/util/validation/field)."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def invalid_object(kind: Kind, name: str, causes: list[Cause]) -> ApiError:
    """Refuse an object whose fields are wrong."""
    told = list(dict.fromkeys(f"{cause.field}: {cause.message}" for cause in causes))
    shown = told[0] if len(told) == 1 else "[" + ", ".join(told) + "]"
    qualified = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
    details = {
        **_about(kind.kind, kind.group, name),
        "causes": [{"reason": c.reason, "message": c.message, "field": c.field} for c in causes],
    }
    return ApiError(422, "Invalid", f'{qualified} "{name}" is invalid: {shown}', details)


def not_found(kind: Kind, name: str) -> ApiError:
    """Say that there is no object of that name."""
    about = _about(kind.plural, kind.group, name)
    return ApiError(404, "NotFound", f'{kind.resource} "{name}" not found', about)


def already_exists(kind: Kind, name: str) -> ApiError:
    """Say that an object of that name is there."""
    about = _about(kind.plural, kind.group, name)
    return ApiError(409, "AlreadyExists", f'{kind.resource} "{name}" already exists', about)


def conflict(kind: Kind, name: str, detail: str) -> ApiError:
    """Say that the object is not in the state that the caller took it to be in."""
    message = f'Operation cannot be fulfilled on {kind.resource} "{name}": {detail}'
    return ApiError(409, "Conflict", message, _about(kind.plural, kind.group, name))


def modified(kind: Kind, name: str) -> ApiError:
    """Say that a stated resourceVersion is not the present one."""
    detail = "the object has been modified; please apply your changes to the latest version and try again"
    return conflict(kind, name, detail)


def forbidden(kind: Kind, name: str, detail: str) -> ApiError:
    """Refuse what a policy does not allow."""
    message = f'{kind.resource} "{name}" is forbidden: {detail}'
    return ApiError(403, "Forbidden", message, _about(kind.plural, kind.group, name))


def bad_request(message: str) -> ApiError:
    """Refuse a request that cannot be understood."""
    return ApiError(400, "BadRequest", message)


def internal_error(message: str) -> ApiError:
    """Say that the server itself could not do it."""
    details = {"causes": [{"message": message}]}
    return ApiError(500, "InternalError", f"Internal error occurred: {message}", details)


def unsupported_media_type(accepted: list[str]) -> ApiError:
    """Refuse a body in an encoding that is not read."""
    listed = ", ".join(accepted)
    message = f"the body of the request was in an unknown format - accepted media types include: {listed}"
    return ApiError(415, "UnsupportedMediaType", message)


def expired(message: str) -> ApiError:
    """Say that the changes since a version are no longer known: list again."""
    return ApiError(410, "Expired", message)


def method_not_allowed(kind: Kind) -> ApiError:
    """Refuse a verb that the resource does not have."""
    message = "the server does not allow this method on the requested resource"
    return ApiError(405, "MethodNotAllowed", message, {"group": kind.group, "kind": kind.plural})


class NothingServedError(Exception):
    """No kind is served under this path: the one refusal that is no Status object."""


def success(kind: Kind, name: str, uid: str) -> Object:
    """Answer a deletion that is complete."""
    details = {**_about(kind.plural, kind.group, name), "uid": uid}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def _about(kind: str, group: str, name: str) -> Object:
    details = {"name": name, "group": group, "kind": kind}
    return {key: value for key, value in details.items() if value}
