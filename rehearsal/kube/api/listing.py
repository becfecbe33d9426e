"""Lists: selected, cut into pages, with the version from which a watch goes on."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping

from rehearsal.kube.api.routing import Target
from rehearsal.kube.api.selectors import Predicate, field_predicate, label_predicate
from rehearsal.kube.api.status import bad_request, expired
from rehearsal.kube.api.store import Gone, Object, Store


def selection(target: Target, query: Mapping[str, str]) -> Predicate:
    """Combine the selectors of a request with its namespace (and name, for a watch of one object).

    Raises:
        ApiError: 400, a selector cannot be read.
    """
    labels = label_predicate(query.get("labelSelector", ""))
    fields = field_predicate(target.kind, query.get("fieldSelector", ""))

    def selected(obj: Object) -> bool:
        metadata = obj["metadata"]
        if target.namespace and metadata.get("namespace") != target.namespace:
            return False
        if target.name and metadata["name"] != target.name:
            return False
        return labels(obj) and fields(obj)

    return selected


def list_objects(store: Store, target: Target, query: Mapping[str, str]) -> Object:
    """Give a List object, at most `limit` items of it, and where the next page begins.

    Raises:
        ApiError: 400, a parameter cannot be read; 410, the first page is too old to go on from.
    """
    selected = selection(target, query)
    found = [obj for obj in store.list(target.kind, target.namespace) if selected(obj)]
    version, start = _page(store, query.get("continue", ""))
    rest = [obj for obj in found if _position(obj) > start]
    limit = _whole_number(query, "limit")
    page = rest[:limit] if limit else rest
    metadata: Object = {"resourceVersion": str(version)}
    if len(page) < len(rest):
        metadata["continue"] = _token(version, _position(page[-1]))
        if not query.get("labelSelector") and not query.get("fieldSelector"):
            metadata["remainingItemCount"] = len(rest) - len(page)
    left_out = set() if target.kind.custom else {"apiVersion", "kind"}
    items = [{key: obj[key] for key in obj if key not in left_out} for obj in page]
    return {
        "kind": f"{target.kind.kind}List",
        "apiVersion": target.kind.api_version,
        "metadata": metadata,
        "items": items,
    }


def _position(obj: Object) -> list[str]:
    return [obj["metadata"].get("namespace", ""), obj["metadata"]["name"]]


def _token(version: int, position: list[str]) -> str:
    return base64.urlsafe_b64encode(json.dumps([version, position]).encode()).decode()


def _page(store: Store, token: str) -> tuple[int, list[str]]:
    if not token:
        return store.resource_version, []
    try:
        version, position = json.loads(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError) as error:
        raise bad_request(f"continue key is not valid: {error}") from error
    try:
        store.since(version)
    except Gone as error:
        raise expired(
            "The provided continue parameter is too old to display a consistent list result. You must start a"
            " new list without the continue parameter."
        ) from error
    return version, position


def _whole_number(query: Mapping[str, str], name: str) -> int:
    try:
        return int(query.get(name) or 0)
    except ValueError as error:
        raise bad_request(f'strconv.ParseInt: parsing "{query[name]}": invalid syntax') from error
