"""Label and field selectors: as query strings, and as objects carry them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from rehearsal.kube.api.kinds import Kind
from rehearsal.kube.api.status import bad_request
from rehearsal.kube.api.store import Object

Predicate = Callable[[Object], bool]
_TERM = re.compile(r"^\s*(!?)\s*([^\s=!,()]+)\s*(?:(==|=|!=)\s*([^\s,()]*)|\s+(in|notin)\s*\(([^)]*)\))?\s*$")
_SPLIT = re.compile(r",(?![^(]*\))")
_FIELDS = {
    "Pod": (
        "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
        "spec.hostNetwork", "status.phase", "status.podIP", "status.nominatedNodeName",
    ),
    "Event": (
        "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
        "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
        "reportingComponent", "source", "type",
    ),
    "Namespace": ("status.phase",),
    "Node": ("spec.unschedulable",),
    "Secret": ("type",),
    "Job": ("status.successful",),
    "ReplicaSet": ("status.replicas",),
    "Service": ("spec.clusterIP", "spec.type"),
}  # fmt: skip


def matches_selector(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Tell whether labels satisfy a LabelSelector object (matchLabels and matchExpressions)."""
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    return all(_expression(term, labels) for term in selector.get("matchExpressions") or [])


def _expression(term: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    present = term["key"] in labels
    among = labels.get(term["key"]) in (term.get("values") or [])
    return {"In": present and among, "NotIn": not among, "Exists": present, "DoesNotExist": not present}[
        term["operator"]
    ]


def label_predicate(selector: str) -> Predicate:
    """Read a labelSelector query parameter: `a=b,c!=d,e in (f,g),h,!i`.

    Raises:
        ApiError: 400, it cannot be read.
    """
    terms = [_label_term(text) for text in _SPLIT.split(selector) if text.strip()]
    return lambda obj: all(term(obj["metadata"].get("labels") or {}) for term in terms)


def _label_term(text: str) -> Callable[[Mapping[str, str]], bool]:
    match = _TERM.match(text)
    if match is None:
        raise bad_request(
            f"unable to parse requirement: found '{text}', expected: !, identifier, or \"end of string\""
        )
    absent, key, operator, value, inclusion, listed = match.groups()
    values = {entry.strip() for entry in (listed or "").split(",")}
    if absent:
        return lambda labels: key not in labels
    if operator == "!=":
        return lambda labels: labels.get(key) != value
    if operator:
        return lambda labels: labels.get(key) == value
    if inclusion == "in":
        return lambda labels: labels.get(key) in values
    if inclusion == "notin":
        return lambda labels: labels.get(key) not in values
    return lambda labels: key in labels


def field_predicate(kind: Kind, selector: str) -> Predicate:
    """Read a fieldSelector query parameter: `metadata.name=a,status.phase!=Running`.

    Raises:
        ApiError: 400, the kind cannot be selected by that field.
    """
    terms = [_field_term(kind, text) for text in selector.split(",") if text.strip()]
    return lambda obj: all(term(obj) for term in terms)


def _field_term(kind: Kind, text: str) -> Predicate:
    match = re.match(r"^\s*([^=!\s]+)\s*(==|=|!=)\s*(.*?)\s*$", text)
    if match is None:
        raise bad_request(f"invalid selector: '{text}'; can't understand '{text}'")
    path, operator, value = match.groups()
    if path not in {"metadata.name", "metadata.namespace", *_FIELDS.get(kind.kind, ())}:
        raise bad_request(
            f'Unable to find "{kind.api_version}, Resource={kind.plural}" that match label selector "",'
            f' field selector "{text}": field label not supported: {path}'
        )
    wanted = operator != "!="
    return lambda obj: (_field(obj, path) == value) is wanted


def _field(obj: Object, path: str) -> str:
    value: Any = obj
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "false" if path in {"spec.unschedulable", "spec.hostNetwork"} else ""
    return str(value)
