"""The structural merge of server-side apply: an applied configuration laid over the live object."""

from __future__ import annotations

from typing import Any

from rehearsal.kube.api.fieldset import Path, item_step
from rehearsal.kube.api.schema import Type, child, is_granular_list, is_granular_map, item
from rehearsal.kube.api.store import clone


def merge(described: Type, live: Any, applied: Any) -> Any:
    """Lay what was applied over what is there; maps and keyed lists go key by key, the rest is replaced.

    A null leaves a map or a keyed list as it is and takes any other value away.
    """
    if is_granular_map(described, applied) or (applied is None and is_granular_map(described, live)):
        return _merge_maps(described, live if isinstance(live, dict) else {}, applied or {})
    if is_granular_list(described, applied) or (applied is None and is_granular_list(described, live)):
        return _merge_lists(described, live if isinstance(live, list) else [], applied or [])
    return clone(applied)


def _merge_maps(described: Type, live: dict[str, Any], applied: dict[str, Any]) -> dict[str, Any]:
    merged = {key: clone(value) for key, value in live.items()}
    for key, value in applied.items():
        below = child(described, key)
        if below is not None:
            merged[key] = merge(below, live.get(key), value)
    return {key: value for key, value in merged.items() if value is not None}


def _merge_lists(described: Type, live: list[Any], applied: list[Any]) -> list[Any]:
    """Keep the applied order; items that only the live list has stay where they are among the others."""
    live_items = {item_step(described, entry): entry for entry in live}
    applied_items = {item_step(described, entry): entry for entry in applied}
    steps = _interleave(list(live_items), list(applied_items))
    return [
        merge(item(described), live_items.get(step), applied_items[step])
        if step in applied_items
        else clone(live_items[step])
        for step in steps
    ]


def _interleave(live: list[str], applied: list[str]) -> list[str]:
    order: list[str] = []
    shared = [step for step in applied if step in set(live)]
    pending = list(applied)
    for step in live:
        if step not in pending and step not in order:
            order.append(step)
        elif step in pending and shared and step == shared[0]:
            upto = pending.index(step) + 1
            order += pending[:upto]
            taken = set(pending[:upto])
            pending = pending[upto:]
            shared = [other for other in shared if other not in taken]
    return order + pending


def remove(described: Type, value: Any, path: Path) -> None:
    """Take one field, map key or list item out of an object, in place."""
    step, below = path[0], path[1:]
    if step.startswith("f:"):
        key = step[2:]
        if not isinstance(value, dict) or key not in value:
            return
        if not below:
            del value[key]
        else:
            remove(child(described, key) or described, value[key], below)
        return
    for index, entry in enumerate(value):
        if item_step(described, entry) == step:
            if below:
                remove(item(described), entry, below)
            else:
                del value[index]
            return
