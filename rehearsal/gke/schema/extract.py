"""Make container-v1.json out of the official discovery document.

    python rehearsal/gke/schema/extract.py SITE_PACKAGES

SITE_PACKAGES is a folder with an installation of google-api-python-client, which carries the document.
Kept are the schemas that the emulated requests reach: types, formats, enumerations and references.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

DOCUMENT = Path("googleapiclient/discovery_cache/documents/container.v1.json")
REQUESTS = (
    "CreateClusterRequest",
    "UpdateClusterRequest",
    "CreateNodePoolRequest",
    "UpdateNodePoolRequest",
    "SetNodePoolSizeRequest",
    "CancelOperationRequest",
)
KEPT = ("type", "format", "enum", "$ref", "readOnly")


def compact(schema: dict[str, Any]) -> dict[str, Any]:
    """Leave out what only people read."""
    short = {name: schema[name] for name in KEPT if name in schema}
    for name in ("items", "additionalProperties"):
        if name in schema:
            short[name] = compact(schema[name])
    if "properties" in schema:
        short["properties"] = {name: compact(value) for name, value in schema["properties"].items()}
    return short


def references(schema: dict[str, Any]) -> set[str]:
    """Name the schemas that this one refers to."""
    names = {schema["$ref"]} if "$ref" in schema else set()
    for name in ("items", "additionalProperties"):
        if name in schema:
            names |= references(schema[name])
    for value in schema.get("properties", {}).values():
        names |= references(value)
    return names


def extract(document: dict[str, Any]) -> dict[str, Any]:
    """Keep the requests' schemas and all that they reach."""
    schemas: dict[str, Any] = {}
    wanted = set(REQUESTS)
    while wanted:
        name = wanted.pop()
        schemas[name] = compact(document["schemas"][name])
        wanted |= references(schemas[name]) - schemas.keys()
    return {"revision": document["revision"], "schemas": dict(sorted(schemas.items()))}


def main(site_packages: Path) -> None:
    """Write container-v1.json beside this file."""
    document = json.loads((site_packages / DOCUMENT).read_text())
    target = Path(__file__).with_name("container-v1.json")
    target.write_text(json.dumps(extract(document), separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
