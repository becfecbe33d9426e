"""Who owns whom: ownerReferences."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rehearsal.kube.api.store import Object

Reference = dict[str, Any]


def controller_reference(owner: Object) -> Reference:
    """Build the ownerReference that makes an object its owner's to control."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def references(obj: Object) -> list[Reference]:
    """Give an object's ownerReferences."""
    found: list[Reference] = obj["metadata"].get("ownerReferences") or []
    return found


def controller_of(obj: Object) -> Reference | None:
    """Find the one owner that controls an object."""
    return next((reference for reference in references(obj) if reference.get("controller")), None)


def controlled(objects: Iterable[Object], owner: Object) -> list[Object]:
    """Give those objects that the owner controls."""
    uid = owner["metadata"]["uid"]
    return [obj for obj in objects if (controller_of(obj) or {}).get("uid") == uid]


def controller_key(obj: Object, kind: str) -> list[tuple[str, str]]:
    """Name the owner of a kind that controls an object, as a key: none or one."""
    reference = controller_of(obj)
    if reference is None or reference["kind"] != kind:
        return []
    return [(obj["metadata"].get("namespace", ""), reference["name"])]
