"""The columns that a CustomResourceDefinition names for `kubectl get`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rehearsal.kube.api.ages import age
from rehearsal.kube.api.custom.jsonpath import found_at
from rehearsal.kube.api.kinds import Custom
from rehearsal.kube.api.store import Object

_AGE = {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}
_NAME = {"name": "Name", "type": "string", "format": "name", "description": "Name", "priority": 0}


def column_definitions(custom: Custom) -> list[Object]:
    """Give the columns of a Table: the name, and what the definition names."""
    return [_NAME, *({
        "name": column["name"],
        "type": column["type"],
        "format": column.get("format", ""),
        "description": column.get("description", ""),
        "priority": column.get("priority", 0),
    } for column in custom.columns or (_AGE,))]  # fmt: skip


def cells(custom: Custom, obj: Object) -> list[Any]:
    """Give one object's cells; None, which is printed as nothing, where the object has no such field."""
    return [obj["metadata"]["name"], *(_cell(column, obj) for column in custom.columns or (_AGE,))]


def _cell(column: Mapping[str, Any], obj: Object) -> Any:
    found = found_at(column["jsonPath"], obj)
    if not found:
        return None
    if column["type"] == "date":
        return age(str(found[0]))
    if column["type"] == "string":
        return " ".join(map(_text, found))
    return found[0]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
