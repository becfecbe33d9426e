"""What the API server refuses in a custom object: values that its OpenAPI schema does not allow.

Rules written in CEL (x-kubernetes-validations) and combinations (oneOf, anyOf, not) are not judged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from rehearsal.kube.api.custom.types import Schema
from rehearsal.kube.api.status import Cause, invalid, required, unsupported

_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str, "boolean": bool, "integer": int, "number": (int, float), "object": dict, "array": list,
}  # fmt: skip
_GO = {str: "string", bool: "boolean", int: "integer", float: "number", dict: "object", list: "array"}


def custom_causes(schema: Schema, obj: dict[str, Any]) -> Iterator[Cause]:
    """Name the fields that are wrong, metadata aside."""
    yield from _causes(schema, {name: obj[name] for name in obj if name != "metadata"}, "")


def _causes(schema: Schema, value: Any, path: str) -> Iterator[Cause]:
    if schema.get("x-kubernetes-int-or-string"):
        if isinstance(value, bool) or not isinstance(value, int | str):
            yield _wrong_type(path, value, "integer,string")
        return
    wanted = schema.get("type", "")
    if wanted and not _is(value, wanted):
        yield _wrong_type(path, value, wanted)
        return
    if schema.get("enum") and value not in schema["enum"]:
        yield unsupported(path, str(value), [str(entry) for entry in schema["enum"]], ordered=True)
    if isinstance(value, dict):
        yield from _map_causes(schema, value, path)
    elif isinstance(value, list):
        yield from _list_causes(schema, value, path)
    elif isinstance(value, str):
        yield from _string_causes(schema, value, path)
    elif not isinstance(value, bool):
        yield from _number_causes(schema, value, path)


def _is(value: Any, wanted: str) -> bool:
    if isinstance(value, bool):
        return wanted == "boolean"
    if wanted == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES.get(wanted, object))


def _wrong_type(path: str, value: Any, wanted: str) -> Cause:
    found = _GO.get(type(value), "null")
    detail = f'{path} in body must be of type {wanted}: "{found}"'
    return Cause(path, "FieldValueTypeInvalid", f'Invalid value: "{found}": {detail}')


def _map_causes(schema: Schema, value: dict[str, Any], path: str) -> Iterator[Cause]:
    for name in schema.get("required") or ():
        if name not in value:
            yield required(_below(path, name))
    count = schema.get("maxProperties")
    if count is not None and len(value) > count:
        yield Cause(path, "FieldValueTooMany", f"Too many: {len(value)}: must have at most {count} items")
    properties, values = schema.get("properties") or {}, schema.get("additionalProperties")
    for name, entry in value.items():
        below = properties.get(name) or (values if isinstance(values, dict) else None)
        if below:
            yield from _causes(below, entry, _below(path, name))


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _list_causes(schema: Schema, value: list[Any], path: str) -> Iterator[Cause]:
    least, most = schema.get("minItems"), schema.get("maxItems")
    if least is not None and len(value) < least:
        yield invalid(path, len(value), f"{path} in body should have at least {least} items")
    if most is not None and len(value) > most:
        yield Cause(path, "FieldValueTooMany", f"Too many: {len(value)}: must have at most {most} items")
    for index, entry in enumerate(value):
        yield from _causes(schema.get("items") or {}, entry, f"{path}[{index}]")
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    seen: list[dict[str, Any]] = []
    for index, entry in enumerate(value if keys else ()):
        key = {name: entry.get(name) for name in keys} if isinstance(entry, dict) else {}
        if key in seen:
            yield Cause(
                f"{path}[{index}]",
                "FieldValueDuplicate",
                f"Duplicate value: {json.dumps(key, separators=(',', ':'))}",
            )
        seen.append(key)


def _string_causes(schema: Schema, value: str, path: str) -> Iterator[Cause]:
    least, most, pattern = schema.get("minLength"), schema.get("maxLength"), schema.get("pattern")
    if least is not None and len(value) < least:
        yield invalid(path, value, f"{path} in body should be at least {least} chars long")
    if most is not None and len(value) > most:
        yield Cause(path, "FieldValueTooLong", f"Too long: may not be more than {most} bytes")
    if pattern and not re.search(pattern, value):
        yield invalid(path, value, f"{path} in body should match '{pattern}'")


def _number_causes(schema: Schema, value: float, path: str) -> Iterator[Cause]:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and value < least:
        yield invalid(path, value, f"{path} in body should be greater than or equal to {least}")
    if most is not None and value > most:
        yield invalid(path, value, f"{path} in body should be less than or equal to {most}")
