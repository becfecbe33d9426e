"""Extract the field types, list keys and patch keys of the built-in kinds from Kubernetes' own definitions.

Run once for a new Kubernetes version, with the definitions of the PyPI package kubernetes-validate:

    python -m rehearsal.kube.api.extract_schema .../v1.34.0-local-strict/_definitions.json 1.34.0
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from rehearsal.kube.api.kinds import KINDS, Kind

SCHEMA_FILE = Path(__file__).with_name("schema.json")
_SCALARS = {"string": "string", "integer": "integer", "number": "number", "boolean": "boolean"}
_SPECIAL = {"Quantity": "quantity", "IntOrString": "int-or-string", "Time": "string", "MicroTime": "string"}
_LEFT_OUT_BY_THE_PACKAGE = {"ContainerPort": {"protocol": "TCP"}, "ServicePort": {"protocol": "TCP"}}

Json = dict[str, Any]


class Extract:
    """The types that the built-in kinds reach.

    Args:
        definitions: OpenAPI definitions by full name, `io.k8s.api.core.v1.PodSpec`.
    """

    def __init__(self, definitions: dict[str, Json]) -> None:
        self._definitions = definitions
        self.types: dict[str, Json] = {}

    def add(self, kind: Kind) -> None:
        """Take in one kind and everything below it."""
        for name, definition in self._definitions.items():
            for gvk in definition.get("x-kubernetes-group-version-kind", []):
                if (gvk["group"], gvk["version"], gvk["kind"]) == (kind.group, kind.version, kind.kind):
                    self._struct(name, f"{kind.api_version}/{kind.kind}")

    def _struct(self, full_name: str, name: str) -> None:
        if name in self.types:
            return
        definition = self._definitions[full_name]
        struct: Json = {"fields": {}}
        self.types[name] = struct
        for field, schema in sorted(definition.get("properties", {}).items()):
            struct["fields"][field] = self._type(schema)
        if definition.get("required"):
            struct["required"] = definition["required"]
        if definition.get("x-kubernetes-map-type") == "atomic":
            struct["atomic"] = True
        if defaults := _LEFT_OUT_BY_THE_PACKAGE.get(full_name.rpartition(".")[2]):
            struct["defaults"] = defaults

    def _type(self, schema: Json) -> Any:
        if "$ref" in schema:
            return self._reference(schema)
        kind = next((name for name in _names(schema) if name != "null"), "any")
        if kind == "array":
            return self._list(schema)
        if kind == "object":
            return self._map(schema)
        return _SCALARS.get(kind, "any")

    def _reference(self, schema: Json) -> Any:
        full_name = schema["$ref"].rpartition("/")[2]
        name = full_name.removeprefix("io.k8s.").removeprefix("api.")
        short = full_name.rpartition(".")[2]
        if short in _SPECIAL:
            return _SPECIAL[short]
        if "properties" not in self._definitions[full_name]:
            return "any"
        self._struct(full_name, name)
        reference: Json = {"struct": name}
        if relation := schema.get("x-kubernetes-map-type"):
            reference["atomic"] = relation == "atomic"
        if "retainKeys" in schema.get("x-kubernetes-patch-strategy", ""):
            reference["retain_keys"] = True
        return reference

    def _list(self, schema: Json) -> Json:
        described: Json = {"list": self._type(schema["items"])}
        if (relation := schema.get("x-kubernetes-list-type", "atomic")) != "atomic":
            described["relation"] = relation
        if keys := schema.get("x-kubernetes-list-map-keys"):
            described["keys"] = keys
        strategy = schema.get("x-kubernetes-patch-strategy", "")
        if "merge" in strategy:
            described["patch_merge_key"] = schema.get("x-kubernetes-patch-merge-key", "")
        if "retainKeys" in strategy:
            described["retain_keys"] = True
        return described

    def _map(self, schema: Json) -> Any:
        if "additionalProperties" not in schema:
            return "any"
        described: Json = {"map": self._type(schema["additionalProperties"])}
        if schema.get("x-kubernetes-map-type") == "atomic":
            described["atomic"] = True
        return described


def _names(schema: Json) -> list[str]:
    names = schema.get("type", [])
    return names if isinstance(names, list) else [names]


def main(definitions_file: str, version: str) -> None:
    """Write schema.json beside this module, one type a line."""
    document = json.loads(Path(definitions_file).read_text(encoding="utf-8"))
    extract = Extract(document.get("$defs") or document["definitions"])
    for kind in KINDS:
        extract.add(kind)
    lines = ",\n".join(
        f"{json.dumps(name)}: {json.dumps(extract.types[name], separators=(',', ':'))}"
        for name in sorted(extract.types)
    )
    SCHEMA_FILE.write_text(
        f'{{"kubernetes": {json.dumps(version)}, "types": {{\n{lines}\n}}}}\n', encoding="utf-8"
    )


if __name__ == "__main__":
    main(*sys.argv[1:3])
