"""Which kinds are served: plain discovery for Python, aggregated discovery for kubectl."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

from rehearsal.kube.api.kinds import Kind, kinds_of_group

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
_PART_VERBS = ["get", "patch", "update"]
_POD_PARTS = {
    "exec": ("PodExecOptions", ["create", "get"]),
    "log": ("Pod", ["get"]),
    "portforward": ("PodPortForwardOptions", ["create", "get"]),
}
_REVIEWS = (
    Kind("authentication.k8s.io", "v1", "SelfSubjectReview", "selfsubjectreviews", namespaced=False),
    Kind(
        "authorization.k8s.io", "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", namespaced=False
    ),
    Kind("authorization.k8s.io", "v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews", namespaced=False),
)


def api_versions(host: str) -> dict[str, Any]:
    """Answer /api."""
    addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": host}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses}


def api_groups(kinds: tuple[Kind, ...]) -> dict[str, Any]:
    """Answer /apis."""
    return {
        "kind": "APIGroupList",
        "apiVersion": "v1",
        "groups": [_group(name, kinds) for name in _groups(kinds)],
    }


def api_group(kinds: tuple[Kind, ...], group: str) -> dict[str, Any] | None:
    """Answer /apis/GROUP; None where there is no such group."""
    if group not in _groups(kinds):
        return None
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(group, kinds)}


def _groups(kinds: tuple[Kind, ...]) -> list[str]:
    return sorted({kind.group for kind in (*kinds, *_REVIEWS) if kind.group})


def _versions(group: str, kinds: tuple[Kind, ...]) -> list[str]:
    return sorted({kind.version for kind in (*kinds, *_REVIEWS) if kind.group == group}, key=_priority)


def _priority(version: str) -> tuple[int, list[int], str]:
    """Order versions as the API server does: stable ones first, then beta, then alpha, the newest first."""
    match = re.fullmatch(r"v(\d+)(?:(alpha|beta)(\d+))?", version)
    if match is None:
        return 3, [], version
    stage = {None: 0, "beta": 1, "alpha": 2}[match[2]]
    return stage, [-int(match[1]), -int(match[3] or 0)], version


def _group(group: str, kinds: tuple[Kind, ...]) -> dict[str, Any]:
    versions = [
        {"groupVersion": f"{group}/{version}", "version": version} for version in _versions(group, kinds)
    ]
    return {"name": group, "versions": versions, "preferredVersion": versions[0]}


def resources(kinds: tuple[Kind, ...], group: str, version: str) -> dict[str, Any] | None:
    """Answer /api/v1 and /apis/GROUP/VERSION; None where nothing is served there."""
    served = list(kinds_of_group((*kinds, *_REVIEWS), group, version))
    if not served:
        return None
    listed = [entry for kind in served for entry in _resource_list(kind)]
    group_version = f"{group}/{version}" if group else version
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version,
        "resources": sorted(listed, key=lambda entry: str(entry["name"])),
    }


def _verbs(kind: Kind) -> list[str]:
    return ["create"] if kind in _REVIEWS else _VERBS


def _resource_list(kind: Kind) -> Iterator[dict[str, Any]]:
    entry: dict[str, Any] = {
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": _verbs(kind),
    }
    if kind.short_names:
        entry["shortNames"] = list(kind.short_names)
    if kind.categories:
        entry["categories"] = list(kind.categories)
    yield entry
    for part, (response_kind, verbs) in _parts(kind).items():
        below = {
            "name": f"{kind.plural}/{part}",
            "singularName": "",
            "namespaced": kind.namespaced,
            "kind": response_kind,
            "verbs": verbs,
        }
        yield {**below, "group": "autoscaling", "version": "v1"} if part == "scale" else below


def _parts(kind: Kind) -> dict[str, tuple[str, list[str]]]:
    parts: dict[str, tuple[str, list[str]]] = dict(_POD_PARTS) if kind.kind == "Pod" else {}
    if kind.status:
        parts["status"] = (kind.kind, _PART_VERBS)
    if kind.scale:
        parts["scale"] = ("Scale", _PART_VERBS)
    return parts


def aggregated(kinds: tuple[Kind, ...], *, core: bool) -> dict[str, Any]:
    """Answer /api or /apis for a client that accepts an APIGroupDiscoveryList."""
    groups = [""] if core else _groups(kinds)
    items = [
        {
            "metadata": {"name": group, "creationTimestamp": None} if group else {"creationTimestamp": None},
            "versions": [
                {
                    "version": version,
                    "freshness": "Current",
                    "resources": [
                        _aggregated(kind) for kind in kinds_of_group((*kinds, *_REVIEWS), group, version)
                    ],
                }
                for version in _versions(group, kinds)
            ],
        }
        for group in groups
    ]
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": items,
    }  # fmt: skip


def _aggregated(kind: Kind) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "resource": kind.plural,
        "responseKind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": _verbs(kind),
        "shortNames": list(kind.short_names),
        "categories": list(kind.categories),
    }
    parts = [
        {
            "subresource": part,
            "responseKind": _response_kind(kind, part, response_kind),
            "verbs": verbs,
        }
        for part, (response_kind, verbs) in _parts(kind).items()
    ]
    if parts:
        entry["subresources"] = parts
    return {key: value for key, value in entry.items() if value != []}


def _response_kind(kind: Kind, part: str, response_kind: str) -> dict[str, str]:
    if part == "scale":
        return {"group": "autoscaling", "version": "v1", "kind": "Scale"}
    return {"group": kind.group, "version": kind.version, "kind": response_kind}


def etag(document: dict[str, Any]) -> str:
    """Name a discovery document by its content, so that kubectl can keep it."""
    return '"' + hashlib.sha256(json.dumps(document).encode()).hexdigest().upper() + '"'
