"""Strategic merge patch: lists merge by their keys, and directives say what to delete or replace."""

from __future__ import annotations

from typing import Any

from rehearsal.kube.api.schema import Type, child, item
from rehearsal.kube.api.store import clone

_ORDER = "$setElementOrder/"
_DELETE = "$deleteFromPrimitiveList/"


def strategic_merge(described: Type, target: Any, patch: Any) -> Any:
    """Lay a strategic merge patch over a value of a known type."""
    if not isinstance(patch, dict):
        return clone(patch)
    if patch.get("$patch") == "replace":
        return {key: clone(value) for key, value in patch.items() if key != "$patch"}
    if patch.get("$patch") == "delete":
        return {}
    merged: dict[str, Any] = clone(target) if isinstance(target, dict) else {}
    if "$retainKeys" in patch:
        merged = {key: value for key, value in merged.items() if key in patch["$retainKeys"]}
    for key, value in patch.items():
        if not key.startswith("$"):
            _merge_key(child(described, key), merged, key, value)
    for key in patch:
        if key.startswith(_DELETE):
            name = key.removeprefix(_DELETE)
            merged[name] = [entry for entry in merged.get(name, []) if entry not in patch[key]]
        elif key.startswith(_ORDER):
            _order(child(described, key.removeprefix(_ORDER)), merged, key.removeprefix(_ORDER), patch[key])
    return merged


def _merge_key(described: Type | None, merged: dict[str, Any], key: str, value: Any) -> None:
    if value is None:
        merged.pop(key, None)
    elif described is None:
        merged[key] = clone(value)
    elif isinstance(value, list) and described.patch_merge_key is not None:
        merged[key] = _merge_list(described, merged.get(key) or [], value)
    elif isinstance(value, dict):
        merged[key] = strategic_merge(described, merged.get(key), value)
    else:
        merged[key] = clone(value)


def _merge_list(described: Type, target: list[Any], patch: list[Any]) -> list[Any]:
    merge_key = described.patch_merge_key
    if not merge_key:
        return target + [clone(entry) for entry in patch if entry not in target]
    if any(entry.get("$patch") == "replace" for entry in patch):
        return [clone(entry) for entry in patch if "$patch" not in entry]
    merged = clone(target)
    for entry in patch:
        key = entry.get(merge_key)
        index = next((at for at, old in enumerate(merged) if old.get(merge_key) == key), None)
        if entry.get("$patch") == "delete":
            merged = [old for old in merged if old.get(merge_key) != key]
        elif index is None:
            merged.append(strategic_merge(item(described), {}, entry))
        else:
            merged[index] = strategic_merge(item(described), merged[index], entry)
    return merged


def _order(described: Type | None, merged: dict[str, Any], key: str, order: list[Any]) -> None:
    """Put a merged list into the order that the patch asks for; what it does not name comes last."""
    merge_key = described.patch_merge_key if described else None
    wanted = [entry.get(merge_key) if merge_key and isinstance(entry, dict) else entry for entry in order]

    def place(entry: Any) -> int:
        name = entry.get(merge_key) if merge_key else entry
        return wanted.index(name) if name in wanted else len(wanted)

    if isinstance(merged.get(key), list):
        merged[key] = sorted(merged[key], key=place)
