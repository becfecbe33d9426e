"""What differs between two states of an object, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from runbook.clients.kube.objects import Object, Reference
from runbook.engine.change import Difference

_SYSTEM: Final = frozenset(
    {"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"}
)
_ITEM_KEYS: Final = ("name", "mountPath", "containerPort", "port", "key")
_MASK: Final = "***"


def creation(wanted: Object) -> Difference:
    """Tell of an object that is not there yet."""
    return Difference(Reference.to(wanted).short, None, f"{wanted['apiVersion']} {wanted['kind']}")


def differences(before: Object, after: Object) -> list[Difference]:
    """List the fields that differ; what the API server keeps for itself does not count.

    Args:
        before: as it is.
        after: as it would be.
    """
    path = Reference.to(before).short
    found = list(_compare(_desired(before), _desired(after), path))
    if before["kind"] == "Secret":
        return [Difference(item.path, _masked(item.before), _masked(item.after)) for item in found]
    return found


def requested(present: Object, wanted: Object) -> list[Difference]:
    """List the fields of a wanted object that the present one has otherwise; what only that has stays.

    Args:
        present: as it is, with what the API server and others added.
        wanted: as it would be applied.
    """
    return differences(present, _laid_over(present, wanted))


def _laid_over(present: Any, wanted: Any) -> Any:
    if isinstance(present, Mapping) and isinstance(wanted, Mapping):
        return {**present, **{key: _laid_over(present.get(key), value) for key, value in wanted.items()}}
    if isinstance(present, list) and isinstance(wanted, list):
        key = _item_key([*present, *wanted])
        known = {item[key]: item for item in present} if key else {}
        return [_laid_over(known.get(item[key]), item) for item in wanted] if key else wanted
    return wanted


def _desired(found: Object) -> Object:
    metadata = {key: value for key, value in found["metadata"].items() if key not in _SYSTEM}
    return {**{key: value for key, value in found.items() if key != "status"}, "metadata": metadata}


def _compare(before: Any, after: Any, path: str) -> Iterator[Difference]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            yield from _compare(before.get(key), after.get(key), f"{path}.{key}")
        return
    if isinstance(before, list) and isinstance(after, list):
        key = _item_key([*before, *after])
        if key:
            yield from _compare_items(before, after, key, path)
            return
        old, new = _flags(before), _flags(after)
        if old != new and old is not None and new is not None:
            for flag in dict.fromkeys([*old, *new]):
                yield from _compare(old.get(flag), new.get(flag), f"{path}[{flag}]")
            return
    yield Difference(path, before, after)


def _compare_items(before: list[Any], after: list[Any], key: str, path: str) -> Iterator[Difference]:
    old = {str(item[key]): item for item in before}
    new = {str(item[key]): item for item in after}
    for name in dict.fromkeys([*old, *new]):
        yield from _compare(old.get(name), new.get(name), f"{path}[{name}]")


def _flags(items: list[Any]) -> dict[str, str] | None:
    """Read `--name=value` arguments by name; None where the list is something else, or names one twice."""
    if not all(isinstance(item, str) for item in items) or not any(item.startswith("--") for item in items):
        return None
    flags = {item.partition("=")[0]: item.partition("=")[2] or "given" for item in items}
    return flags if len(flags) == len(items) else None


def _item_key(items: list[Any]) -> str | None:
    for key in _ITEM_KEYS:
        if items and all(isinstance(item, Mapping) and key in item for item in items):
            return key
    return None


def _masked(value: Any) -> str | None:
    return None if value is None else _MASK
