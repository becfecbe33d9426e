"""Whether an object has the fields and types of its kind, told in the words of server-side apply."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rehearsal.kube.api.fieldset import key_of
from rehearsal.kube.api.schema import Type, child, is_open, item, struct_of

_NUMERIC = {"integer", "number"}
_GO_TYPES = {str: "string", bool: "bool", int: "int64", float: "float64", list: "[]interface {}", dict: "map"}


def type_errors(described: Type, value: Any) -> list[str]:
    """List what is wrong, as `.spec.replica: field not declared in schema`."""
    return list(_errors(described, value, ""))


def unknown_fields(described: Type, value: Any, path: str = "") -> Iterator[str]:
    """Name the fields that the kind does not have, as `spec.template.spec.containers[0].imagee`."""
    if isinstance(value, dict) and described.name in {"struct", "map"}:
        for key, below in value.items():
            where = f"{path}.{key}" if path else key
            below_type = child(described, key)
            if below_type is None:
                yield where
            else:
                yield from unknown_fields(below_type, below, where)
    elif isinstance(value, list) and described.name == "list":
        for index, entry in enumerate(value):
            yield from unknown_fields(item(described), entry, f"{path}[{index}]")


def known_only(described: Type, value: Any) -> Any:
    """Copy a value as decoding leaves it: without unknown fields, nulls and empty optional lists."""
    if isinstance(value, dict) and described.name in {"struct", "map"}:
        required = struct_of(described).required if described.name == "struct" else ()
        keeps_empty = described.inline is not None
        kept = {}
        for key, below in value.items():
            below_type = child(described, key)
            if below_type is None or below is None:
                continue
            decoded = known_only(below_type, below)
            if decoded or keeps_empty or below_type.name not in {"list", "map"} or key in required:
                kept[key] = decoded
        return kept
    if isinstance(value, list) and described.name == "list":
        return [known_only(item(described), entry) for entry in value]
    return value


def decode_errors(described: Type, value: Any, path: str = "") -> Iterator[str]:
    """List wrong types in the words of a plain (not apply) request's decoder."""
    if value is None:
        return
    if described.name in {"struct", "map"}:
        if not isinstance(value, dict):
            yield _cannot_unmarshal(value, path, "map")
            return
        for key, below in value.items():
            below_type = child(described, key)
            if below_type is not None:
                yield from decode_errors(below_type, below, f"{path}.{key}" if path else key)
    elif described.name == "list":
        if not isinstance(value, list):
            yield _cannot_unmarshal(value, path, "slice")
            return
        for entry in value:
            yield from decode_errors(item(described), entry, path)
    elif _scalar_error(described, value):
        yield _cannot_unmarshal(
            value, path, {"integer": "int32", "boolean": "bool"}.get(described.name, "string")
        )


def _cannot_unmarshal(value: Any, path: str, wanted: str) -> str:
    found = {bool: "bool", int: "number", float: "number", str: "string", list: "array", dict: "object"}[
        type(value)
    ]
    return f"json: cannot unmarshal {found} into Go struct field .{path} of type {wanted}"


def _errors(described: Type, value: Any, path: str) -> Iterator[str]:
    if value is None or described.name == "any":
        return
    if described.name in {"struct", "map"}:
        yield from _map_errors(described, value, path)
    elif described.name == "list":
        yield from _list_errors(described, value, path)
    elif wrong := _scalar_error(described, value):
        yield f"{path}: {wrong}"


def _map_errors(described: Type, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: expected map, got &{_go(value)}"
        return
    for key, below in value.items():
        below_type = child(described, key)
        if below_type is None and not is_open(described):
            yield f"{path}.{key}: field not declared in schema"
        elif below_type is not None:
            yield from _errors(below_type, below, f"{path}.{key}")


def _list_errors(described: Type, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{path}: expected list, got &{_go(value)}"
        return
    seen = set()
    for index, entry in enumerate(value):
        label = f"{path}[{index}]"
        if described.relation == "map":
            if not isinstance(entry, dict):
                yield f"{path}: element {index}: associative list may not have non-map types"
                continue
            key = key_of(described, entry)
            if missing := next((name for name in described.keys if name not in key), None):
                yield (
                    f"{path}: element {index}: associative list with keys has an element that omits key field"
                    f' "{missing}" (and doesn\'t have default value)'
                )
                continue
            label = path + _key_label(key)
        elif described.relation == "set":
            label = f"{path}[={json.dumps(entry)}]"
        if described.relation != "atomic" and label in seen:
            yield f"{path}: duplicate entries for key {label.removeprefix(path)}"
        seen.add(label)
        yield from _errors(item(described), entry, label)


def _scalar_error(described: Type, value: Any) -> str | None:
    name = described.name
    if name == "string" and not isinstance(value, str):
        return f"expected string, got &{_go(value)}"
    if name == "boolean" and not isinstance(value, bool):
        return f"expected boolean, got &{_go(value)}"
    if name in _NUMERIC and (isinstance(value, bool) or not isinstance(value, int | float)):
        return f"expected numeric (int or float), got {_GO_TYPES[type(value)]}"
    if name in {"quantity", "int-or-string"} and isinstance(value, dict | list | bool):
        return f"expected any scalar, got &{_go(value)}"
    return None


def _go(value: Any) -> str:
    shown = f'"{value}"' if isinstance(value, str) else json.dumps(value)
    return f"value.valueUnstructured{{Value:{shown}}}"


def _key_label(key: dict[str, Any]) -> str:
    return "[" + ",".join(f"{name}={json.dumps(key[name])}" for name in sorted(key)) + "]"
