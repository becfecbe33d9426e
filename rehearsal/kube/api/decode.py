"""From a request's body to an object of the kind that its URL names."""

from __future__ import annotations

from typing import Any

from rehearsal.kube.api.kinds import Kind
from rehearsal.kube.api.schema import FREE, type_of
from rehearsal.kube.api.status import ApiError, bad_request, invalid_object
from rehearsal.kube.api.status import invalid as invalid_field
from rehearsal.kube.api.store import Object
from rehearsal.kube.api.typed import decode_errors, known_only, type_errors, unknown_fields
from rehearsal.kube.api.write import Write

_SYSTEM = ("uid", "resourceVersion", "creationTimestamp", "generation", "selfLink", "deletionTimestamp",
           "deletionGracePeriodSeconds", "managedFields")  # fmt: skip


def decode(kind: Kind, body: Any, write: Write, *, patched: bool = False) -> Object:
    """Check a body's kind, types and fields, and keep the fields that the kind has.

    Args:
        patched: the body is the result of a patch, so an unknown field is the patch's fault (422).

    Raises:
        ApiError: 400 or 422, it is not an object of that kind.
    """
    if not isinstance(body, dict):
        raise bad_request(f"couldn't get version/kind; json parse error: {kind.kind} expected")
    _check_kind(kind, body)
    described = type_of(kind)
    if wrong := next(decode_errors(FREE if kind.custom else described, body), None):
        raise bad_request(_cannot_be_handled(kind, wrong))
    unknown = [f'unknown field "{path}"' for path in unknown_fields(described, body)]
    if unknown and write.validation == "Strict":
        _refuse_unknown(kind, body, unknown, patched=patched)
    if write.validation == "Warn":
        write.warnings += unknown
    obj: Object = known_only(described, body)
    obj.setdefault("metadata", {})
    return obj


def _check_kind(kind: Kind, body: Object) -> None:
    version, name = body.get("apiVersion", kind.api_version), body.get("kind", kind.kind)
    if version != kind.api_version:
        raise bad_request(
            f"the API version in the data ({version}) does not match the expected API version"
            f" ({kind.api_version})"
        )
    if name != kind.kind:
        raise bad_request(f'{name} in version "{kind.version}" cannot be handled as a {kind.kind}')
    body.update(apiVersion=kind.api_version, kind=kind.kind)


def _cannot_be_handled(kind: Kind, wrong: str) -> str:
    return f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: {wrong}'


def _refuse_unknown(kind: Kind, body: Object, unknown: list[str], *, patched: bool) -> None:
    told = "strict decoding error: " + ", ".join(unknown)
    if patched:
        name = body.get("metadata", {}).get("name", "")
        raise invalid_object(kind, name, [invalid_field("patch", "{...}", told)])
    raise bad_request(_cannot_be_handled(kind, told))


def check_applied(kind: Kind, namespace: str | None, name: str, body: Any) -> Object:
    """Check a server-side apply's body against the kind's schema.

    Raises:
        ApiError: 400, it is another object's; 500, it does not have the types of its kind.
    """
    if not isinstance(body, dict) or "apiVersion" not in body or "kind" not in body:
        raise bad_request("error decoding patch: Object 'Kind' or 'apiVersion' is missing")
    _check_kind(kind, body)
    if wrong := type_errors(type_of(kind), body):
        raise _untyped(kind, namespace, name, wrong)
    metadata = body.setdefault("metadata", {})
    if metadata.get("managedFields") is not None:
        raise bad_request("metadata.managedFields must be nil")
    check_names(namespace, name, metadata)
    for field in _SYSTEM:
        if field != "resourceVersion":
            metadata.pop(field, None)
    metadata["name"] = name
    if namespace:
        metadata["namespace"] = namespace
    return body


def _untyped(kind: Kind, namespace: str | None, name: str, wrong: list[str]) -> ApiError:
    told = wrong[0] if len(wrong) == 1 else "errors:\n  " + "\n  ".join(wrong)
    message = (
        f"failed to create typed patch object ({namespace or ''}/{name}; {kind.api_version},"
        f" Kind={kind.kind}): {told}"
    )
    return ApiError(500, "", message)


def check_names(namespace: str | None, name: str | None, metadata: Object) -> None:
    """Compare an object's name and namespace with those of the URL.

    Raises:
        ApiError: 400, they differ.
    """
    if metadata.get("namespace") and metadata["namespace"] != (namespace or ""):
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if name and metadata.get("name") and metadata["name"] != name:
        raise bad_request(
            f"the name of the object ({metadata['name']}) does not match the name on the URL ({name})"
        )


def drop_system_fields(obj: Object) -> None:
    """Take away what only the API server sets."""
    for field in _SYSTEM:
        obj["metadata"].pop(field, None)
