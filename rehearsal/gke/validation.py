"""Request bodies against the official schema, refused in the words of Google's API front end."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Any

from rehearsal.front.errors import GoogleError

SCHEMA_FILE = Path(__file__).parent / "schema" / "container-v1.json"
TYPE_PREFIX = "type.googleapis.com/google.container.v1."
PROTO_TYPES = {
    "int32": "TYPE_INT32",
    "int64": "TYPE_INT64",
    "float": "TYPE_FLOAT",
    "double": "TYPE_DOUBLE",
    "boolean": "TYPE_BOOL",
    "string": "TYPE_STRING",
}

Schema = dict[str, Any]


@functools.cache
def schemas() -> dict[str, Schema]:
    """Read the schemas of the container API (discovery document, extracted by schema/extract.py)."""
    document: dict[str, dict[str, Schema]] = json.loads(SCHEMA_FILE.read_text())
    return document["schemas"]


def validated(request: str, text: str) -> dict[str, Any]:
    """Read a request's body, and return it under the names and types of the API.

    Args:
        request: the schema's name, such as CreateClusterRequest.
        text: the body.

    Raises:
        GoogleError: 400 with every field that is unknown or of a wrong type.
    """
    try:
        body = json.loads(text or "{}")
    except json.JSONDecodeError as error:
        raise _refused([("", f"Invalid JSON payload received. {error}")]) from error
    reader = _Reader()
    value = reader.message(schemas()[request], "", body, request)
    if reader.violations:
        raise _refused(reader.violations)
    return dict(value)


def _refused(violations: list[tuple[str, str]]) -> GoogleError:
    """Build Google's answer to a body that does not fit."""
    fields = [{"field": field, "description": text} for field, text in violations]
    message = "\n".join(text for _, text in violations)
    bad_request = {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": fields}
    return GoogleError(400, message, details=[bad_request])


class _Reader:
    """One walk through a body; it notes what does not fit and returns what does."""

    def __init__(self) -> None:
        self.violations: list[tuple[str, str]] = []

    def message(self, schema: Schema, path: str, body: Any, type_name: str) -> dict[str, Any]:
        """Read an object with named fields; fields that only the server sets are left out."""
        if not isinstance(body, dict):
            self._invalid(path, TYPE_PREFIX + type_name, body)
            return {}
        properties: dict[str, Schema] = schema.get("properties", {})
        result = {}
        for given, value in body.items():
            name = given if given in properties else _camel(given)
            if name not in properties:
                self._unknown(path, given, "Cannot find field.")
            elif isinstance(value, list) and properties[name].get("type") != "array":
                self._unknown(path, given, "Proto field is not repeating, cannot start list.")
            elif value is not None and not properties[name].get("readOnly"):
                enum_name = f"{type_name}.{name[0].upper()}{name[1:]}"
                result[name] = self._value(properties[name], _joined(path, _snake(name)), value, enum_name)
        return result

    def _value(self, schema: Schema, path: str, value: Any, enum_name: str) -> Any:
        if "$ref" in schema:
            return self.message(schemas()[schema["$ref"]], path, value, schema["$ref"])
        if schema.get("type") == "array":
            items = value if isinstance(value, list) else [value]
            return [
                self._value(schema["items"], f"{path}[{index}]", item, enum_name)
                for index, item in enumerate(items)
            ]
        if schema.get("type") == "object":
            return self._map(schema, path, value, enum_name)
        return self._scalar(schema, path, value, enum_name)

    def _map(self, schema: Schema, path: str, value: Any, enum_name: str) -> Any:
        if not isinstance(value, dict):
            self._invalid(path, "Map", value)
            return {}
        inner = schema.get("additionalProperties", {"type": "any"})
        return {key: self._value(inner, f"{path}[{key!r}]", item, enum_name) for key, item in value.items()}

    def _scalar(self, schema: Schema, path: str, value: Any, enum_name: str) -> Any:
        if "enum" in schema:
            if value not in schema["enum"]:
                self._invalid(path, TYPE_PREFIX + enum_name, value)
            return value
        proto = PROTO_TYPES.get(schema.get("format", ""), PROTO_TYPES.get(schema.get("type", ""), ""))
        converted = _converted(proto, value)
        if converted is None:
            self._invalid(path, proto, value)
        return converted

    def _unknown(self, path: str, name: str, why: str) -> None:
        where = f" at '{path}'" if path else ""
        text = f'Invalid JSON payload received. Unknown name "{name}"{where}: {why}'
        self.violations.append((path, text))

    def _invalid(self, path: str, type_name: str, value: Any) -> None:
        text = f"Invalid value at '{path}' ({type_name}), {json.dumps(value)}"
        self.violations.append((path, text))


def _converted(proto: str, value: Any) -> Any:
    """Return a scalar as the API prints it (64-bit integers as strings); None when it is of another type."""
    if proto in ("TYPE_INT32", "TYPE_INT64"):
        if isinstance(value, bool) or not re.fullmatch(r"-?\d+", str(value)):
            return None
        return int(value) if proto == "TYPE_INT32" else str(value)
    if proto == "TYPE_BOOL":
        return value if isinstance(value, bool) else None
    if proto == "TYPE_STRING":
        return value if isinstance(value, str) else None
    return value


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
