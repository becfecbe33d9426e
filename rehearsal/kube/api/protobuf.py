"""Protobuf bodies, which `kubectl create` sends for some kinds without asking whether they are read.

The field numbers are those of generated.proto in k8s.io/api/core/v1 and k8s.io/apimachinery.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from rehearsal.kube.api.status import ApiError, bad_request, unsupported_media_type

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"
_VARINT, _LENGTH = 0, 2
_STRINGS = "map of string"

_META = (1, "metadata", "ObjectMeta")
_MESSAGES: dict[str, tuple[tuple[int, str, str], ...]] = {
    "ObjectMeta": (
        (1, "name", "string"),
        (2, "generateName", "string"),
        (3, "namespace", "string"),
        (4, "selfLink", "string"),
        (5, "uid", "string"),
        (6, "resourceVersion", "string"),
        (7, "generation", "int"),
        (8, "creationTimestamp", "left out"),
        (11, "labels", _STRINGS),
        (12, "annotations", _STRINGS),
        (14, "finalizers", "list of string"),
    ),
    "Namespace": (_META, (2, "spec", "left out"), (3, "status", "left out")),
    "ConfigMap": (_META, (2, "data", _STRINGS), (3, "binaryData", "map of bytes"), (4, "immutable", "bool")),
    "Secret": (
        _META,
        (2, "data", "map of bytes"),
        (3, "type", "string"),
        (4, "stringData", _STRINGS),
        (5, "immutable", "bool"),
    ),
    "ServiceAccount": (_META, (4, "automountServiceAccountToken", "bool")),
    "ResourceQuota": (_META, (2, "spec", "ResourceQuotaSpec"), (3, "status", "left out")),
    "ResourceQuotaSpec": ((1, "hard", "map of Quantity"), (2, "scopes", "list of string")),
}
_READ = {"ConfigMap", "Namespace", "ResourceQuota", "Secret", "ServiceAccount"}


def read_protobuf(raw: bytes) -> dict[str, Any]:
    """Read one object.

    Raises:
        ApiError: 415, it is of another kind, or has fields that are not known here; 400, it is cut off.
    """
    if not raw.startswith(_MAGIC):
        raise _not_read()
    try:
        return _object(raw)
    except IndexError as error:
        raise bad_request("proto: unexpected EOF") from error


def _object(raw: bytes) -> dict[str, Any]:
    envelope = dict(_fields(raw[len(_MAGIC) :]))
    type_meta = {number: _bytes(value).decode() for number, value in _fields(_bytes(envelope.get(1, b"")))}
    kind = type_meta.get(2, "")
    if kind not in _READ:
        raise _not_read()
    return {"apiVersion": type_meta.get(1, ""), "kind": kind, **_message(kind, _bytes(envelope.get(2, b"")))}


def _not_read() -> ApiError:
    return unsupported_media_type(["application/json", "application/yaml"])


def _fields(raw: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(raw):
        tag, at = _varint(raw, at)
        value, at = _varint(raw, at)
        if tag & 7 == _VARINT:
            yield tag >> 3, value
        elif tag & 7 == _LENGTH:
            yield tag >> 3, raw[at : at + value]
            at += value
        else:
            raise _not_read()


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = raw[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise _not_read()
    return value


def _message(name: str, raw: bytes) -> dict[str, Any]:
    known = {number: (field, kind) for number, field, kind in _MESSAGES[name]}
    message: dict[str, Any] = {}
    for number, value in _fields(raw):
        if number not in known:
            raise _not_read()
        field, kind = known[number]
        if kind.startswith("map of "):
            entry = dict(_fields(_bytes(value)))
            key = _bytes(entry.get(1, b"")).decode()
            message.setdefault(field, {})[key] = _value(kind.removeprefix("map of "), entry.get(2, b""))
        elif kind.startswith("list of "):
            message.setdefault(field, []).append(_value(kind.removeprefix("list of "), value))
        elif kind != "left out" and value not in (b"", 0):
            message[field] = _value(kind, value)
    return message


def _value(kind: str, value: int | bytes) -> Any:
    if kind == "int":
        return value
    if kind == "bool":
        return bool(value)
    raw = _bytes(value)
    if kind == "string":
        return raw.decode()
    if kind == "bytes":
        return base64.b64encode(raw).decode()
    if kind == "Quantity":
        return _bytes(dict(_fields(raw)).get(1, b"")).decode()
    return _message(kind, raw)
