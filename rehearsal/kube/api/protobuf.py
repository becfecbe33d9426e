"""Protobuf bodies, which `kubectl create` sends for some kinds without asking whether they are read."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

from rehearsal.kube.api.protobuf_messages import KINDS_READ, MESSAGES
from rehearsal.kube.api.status import ApiError, bad_request, unsupported_media_type

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"
_VARINT, _LENGTH = 0, 2


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
    if kind not in KINDS_READ:
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
    known = {number: (field, kind) for number, field, kind in MESSAGES[name]}
    message: dict[str, Any] = {}
    for number, value in _fields(raw):
        if number not in known:
            if value in (b"", 0):
                continue  # Go writes the fields that say nothing too
            raise _not_read()
        field, kind = known[number]
        if kind.startswith("map of "):
            entry = dict(_fields(_bytes(value)))
            key = _bytes(entry.get(1, b"")).decode()
            message.setdefault(field, {})[key] = _value(kind.removeprefix("map of "), entry.get(2, b""))
        elif kind.startswith("list of "):
            message.setdefault(field, []).append(_value(kind.removeprefix("list of "), value))
        elif kind == "optional int":
            message[field] = value
        elif kind != "left out" and value not in (b"", 0):
            message[field] = _value(kind, value)
    return message


def _value(kind: str, value: int | bytes) -> Any:
    if kind in {"int", "bool"}:
        return bool(value) if kind == "bool" else value
    read = _READERS.get(kind)
    return read(_bytes(value)) if read else _message(kind, _bytes(value))


def _quantity(raw: bytes) -> str:
    return _bytes(dict(_fields(raw)).get(1, b"")).decode()


def _int_or_string(raw: bytes) -> int | str:
    fields = dict(_fields(raw))
    if fields.get(1):
        return _bytes(fields[3]).decode()
    number = fields.get(2, 0)
    return number if isinstance(number, int) else 0


_READERS: dict[str, Callable[[bytes], Any]] = {
    "string": bytes.decode,
    "bytes": lambda raw: base64.b64encode(raw).decode(),
    "Quantity": _quantity,
    "IntOrString": _int_or_string,
}
