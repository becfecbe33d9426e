"""The JSON Schemas by which an editor completes and checks the files of vars/."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final

from runbook.config.keys import Key, schema_keys, undotted
from runbook.config.schema import NULLABLE, SELECTORS, Variables

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, dict[str, Any]]:
    """Return the schemas by file name: for defaults and environments, and for the files that those choose.

    Layers are partial, so nothing is required; a variable that can follow another one, and an entry such as
    a flag, may also be null.
    """
    whole = _partial(Variables.model_json_schema())
    for key in map(undotted, sorted(NULLABLE)):
        _allow_null(whole, key)
    for key, schema in schema_keys().items():
        if schema.open:
            _allow_null_entries(whole, key)
    layer = deepcopy(whole)
    for selector in SELECTORS:
        del layer["properties"][selector]
    return {
        "variables.json": {"$schema": _DIALECT, "title": "Variables: defaults and environments", **whole},
        "layer.json": {"$schema": _DIALECT, "title": "Variables: models, hardware and storage", **layer},
    }


def _partial(node: Any) -> Any:
    if isinstance(node, list):
        return [_partial(item) for item in node]
    if not isinstance(node, dict):
        return node
    dropped = {"required": list, "title": str}
    return {
        name: _partial(inner) for name, inner in node.items() if not isinstance(inner, dropped.get(name, ()))
    }


def _property(root: dict[str, Any], key: Key) -> dict[str, Any]:
    node = root
    for part in key[:-1]:
        node = root["$defs"][node["properties"][part]["$ref"].rpartition("/")[2]]
    properties: dict[str, Any] = node["properties"]
    return properties


def _allow_null(root: dict[str, Any], key: Key) -> None:
    properties = _property(root, key)
    described = properties[key[-1]]
    properties[key[-1]] = {
        "description": described.pop("description"),
        "anyOf": [described, {"type": "null"}],
    }


def _allow_null_entries(root: dict[str, Any], key: Key) -> None:
    described = _property(root, key)[key[-1]]
    named = described.get("patternProperties", {})
    for pattern, entry in named.items():
        named[pattern] = {"anyOf": [entry, {"type": "null"}]}
    entry = described.get("additionalProperties")
    described["additionalProperties"] = {"anyOf": [entry, {"type": "null"}]} if entry else False
