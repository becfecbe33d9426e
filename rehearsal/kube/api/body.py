"""Reading request bodies and options; JSON first, YAML where an apply sends it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from rehearsal.kube.api.kinds import Kind
from rehearsal.kube.api.protobuf import MEDIA_TYPE as PROTOBUF
from rehearsal.kube.api.protobuf import read_protobuf
from rehearsal.kube.api.status import bad_request, invalid_object, required, unsupported_media_type
from rehearsal.kube.api.write import Write

_JSON = "application/json"
_YAML = "application/yaml"
APPLY = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
PATCHES = [JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY]
_TRUE = {"true", "1", "True"}


async def read_object(request: web.Request) -> Any:
    """Read a POST's or PUT's body.

    Raises:
        ApiError: 400, it cannot be parsed; 415, it is in an encoding that is not read.
    """
    if request.content_type == PROTOBUF:
        return read_protobuf(await request.read())
    if request.content_type not in {_JSON, _YAML, "application/octet-stream", "text/plain"}:
        raise unsupported_media_type([_JSON, _YAML])
    return parse(await request.read())


async def read_patch(request: web.Request) -> Any:
    """Read a PATCH's body.

    Raises:
        ApiError: 400, it cannot be parsed; 415, there is no such kind of patch.
    """
    if request.content_type not in PATCHES:
        raise unsupported_media_type(PATCHES)
    return parse(await request.read())


async def read_delete_options(request: web.Request) -> dict[str, Any]:
    """Combine a DELETE's body with its query parameters, into a DeleteOptions object."""
    options = await _body(request) if request.can_read_body else {}
    if not isinstance(options, dict):
        raise bad_request("DeleteOptions expected")
    query = request.query
    if "propagationPolicy" in query:
        options["propagationPolicy"] = query["propagationPolicy"]
    if "gracePeriodSeconds" in query:
        options["gracePeriodSeconds"] = int(query["gracePeriodSeconds"])
    if "orphanDependents" in query:
        options["orphanDependents"] = query["orphanDependents"] in _TRUE
    if "dryRun" in query:
        options["dryRun"] = query.getall("dryRun")
    return options


async def _body(request: web.Request) -> Any:
    raw = await request.read()
    return read_protobuf(raw) if request.content_type == PROTOBUF and raw else parse(raw)


def parse(raw: bytes) -> Any:
    """Parse JSON, or else YAML.

    Raises:
        ApiError: 400, it is neither.
    """
    if not raw.strip():
        return {}
    try:
        return json.loads(raw)
    except ValueError as error:
        if raw.lstrip()[:1] in {b"{", b"["}:
            raise bad_request(f"invalid character in the body: {error}") from error
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(raw)
    except YAMLError as error:
        raise bad_request(f"error parsing the body as YAML: {error}") from error


def write_options(request: web.Request, subresource: str) -> Write:
    """Read the query parameters of a writing request.

    Raises:
        ApiError: 422, an apply names no field manager; 400, dryRun is not All.
    """
    query: Mapping[str, str] = request.query
    if query.get("dryRun", "All") != "All":
        raise bad_request(f'dryRun: Unsupported value: "{query["dryRun"]}": supported values: "All"')
    if request.content_type == APPLY and not query.get("fieldManager"):
        options = Kind("meta.k8s.io", "v1", "PatchOptions", "patchoptions")
        raise invalid_object(options, "", [required("fieldManager", "is required for apply patch")])
    agent = request.headers.get("User-Agent", "unknown").partition("/")[0]
    return Write(
        manager=query.get("fieldManager") or agent,
        dry_run="dryRun" in query,
        validation=query.get("fieldValidation") or "Warn",
        force=query.get("force") in _TRUE,
        subresource=subresource,
    )
