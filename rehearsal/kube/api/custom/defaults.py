"""The defaults of a custom kind's schema, filled in where an object says nothing."""

from __future__ import annotations

from typing import Any

from rehearsal.kube.api.custom.types import Schema
from rehearsal.kube.api.store import clone


def set_custom_defaults(schema: Schema, value: Any) -> None:
    """Complete a value in place."""
    if isinstance(value, dict):
        for name, below in (schema.get("properties") or {}).items():
            if name not in value and "default" in below:
                value[name] = clone(below["default"])
            if name in value:
                set_custom_defaults(below, value[name])
        values = schema.get("additionalProperties")
        if isinstance(values, dict):
            for entry in value.values():
                set_custom_defaults(values, entry)
    elif isinstance(value, list):
        for entry in value:
            set_custom_defaults(schema.get("items") or {}, entry)
