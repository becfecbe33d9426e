"""Whether an object is as this project applied it, decided from the object alone, without a request.

`metadata.managedFields` says which fields were applied. When exactly these are wanted, with the values that
the object has, another apply would do nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from runbook.clients.kube.objects import Object, Reference
from runbook.engine.errors import ConflictError
from runbook.steps.kube.apply_set import PART_OF, ApplySet
from runbook.steps.kube.workload import ENVIRONMENT

_IDENTITY: Final = frozenset({"apiVersion", "kind"})
_CONTROLLERS: Final = frozenset({"kube-controller-manager"})
_NAMES: Final = frozenset({"name", "namespace"})


def is_applied(live: Object, wanted: Object, field_manager: str) -> bool:
    """Tell whether applying the wanted object again would change nothing.

    False only means that it is not certain: values may be equal though they are written differently.

    Args:
        live: as the cluster has it.
        wanted: as it would be applied.
        field_manager: who applies.
    """
    if not _owned(wanted):
        return True
    for entry in live["metadata"].get("managedFields", ()):
        if (entry.get("manager"), entry.get("operation")) == (field_manager, "Apply"):
            return _is_same(_owned(wanted), live, entry["fieldsV1"])
    return False


def is_drift(live: Object, field_manager: str, managers: Iterable[str]) -> bool:
    """Tell whether a conflict is an edit by hand of what we applied, which is taken back.

    It is not where the object was never applied by us, where another manager applies it too (a declared wish,
    such as another tool's manifest), or where a controller decides (such as horizontal Pod autoscaling).

    Args:
        live: as the cluster has it.
        field_manager: who applies.
        managers: those that the API server named in its conflict.
    """
    entries = live["metadata"].get("managedFields", ())
    appliers = {entry.get("manager") for entry in entries if entry.get("operation") == "Apply"}
    return field_manager in appliers and not (appliers | _CONTROLLERS) & set(managers)


def require_ours(live: Object, apply_set: ApplySet, *, force: bool) -> None:
    """Make sure that an object is not another environment's, nor a member of somebody's set.

    Args:
        live: as the cluster has it.
        apply_set: ours.
        force: take it over.

    Raises:
        ConflictError: it is.
    """
    has = live["metadata"].get("labels") or {}
    environment, member_of = has.get(ENVIRONMENT), has.get(PART_OF, apply_set.id)
    ours = apply_set.labels[ENVIRONMENT]
    if force or live["kind"] == "ServiceAccount" or environment == ours:
        return
    owner = f"environment {environment}" if environment else f"the set {member_of}"
    if environment or member_of != apply_set.id:
        raise ConflictError(
            f"{Reference.to(live)} belongs to {owner}",
            remedy="give this environment names of its own (server.name, server.service, volume.name, "
            "volume.claim); --set kube.force=true takes it over",
        )


def shared(wanted: Object, live: Object, labels: Mapping[str, str]) -> Object:
    """Leave a ServiceAccount that somebody else made unlabelled, as cleanup deletes what carries our labels.

    Args:
        wanted: as it would be applied.
        live: as the cluster has it.
        labels: those of everything that we make.
    """
    has = live["metadata"].get("labels") or {}
    if wanted["kind"] != "ServiceAccount" or labels.items() <= has.items():
        return wanted
    metadata = {key: value for key, value in wanted["metadata"].items() if key != "labels"}
    return {**wanted, "metadata": metadata}


def _owned(wanted: Object) -> Object:
    """Leave out what names the object: nobody owns that."""
    fields = {key: value for key, value in wanted.items() if key not in _IDENTITY}
    metadata = {key: value for key, value in wanted["metadata"].items() if key not in _NAMES}
    if metadata:
        return {**fields, "metadata": metadata}
    return {key: value for key, value in fields.items() if key != "metadata"}


def _is_same(wanted: Any, live: Any, fields: Mapping[str, Any]) -> bool:
    if not fields:
        return bool(wanted == live)
    inner = {key: value for key, value in fields.items() if key != "."}
    if isinstance(wanted, Mapping):
        return isinstance(live, Mapping) and _is_same_map(wanted, live, inner)
    if isinstance(wanted, list):
        return isinstance(live, list) and _is_same_list(wanted, live, inner)
    return False


def _is_same_map(wanted: Mapping[str, Any], live: Mapping[str, Any], fields: Mapping[str, Any]) -> bool:
    owned = {key.removeprefix("f:"): value for key, value in fields.items()}
    return owned.keys() == wanted.keys() and all(
        key in live and _is_same(wanted[key], live[key], owned[key]) for key in wanted
    )


def _is_same_list(wanted: list[Any], live: list[Any], fields: Mapping[str, Any]) -> bool:
    return len(fields) == len(wanted) and all(
        _is_same_item(wanted, live, name, inner) for name, inner in fields.items()
    )


def _is_same_item(wanted: list[Any], live: list[Any], name: str, fields: Mapping[str, Any]) -> bool:
    kind, _, text = name.partition(":")
    key = json.loads(text)
    if kind == "v":
        return key in wanted and key in live
    ours, theirs = _with_key(wanted, key), _with_key(live, key)
    return ours is not None and theirs is not None and _is_same(ours, theirs, fields)


def _with_key(items: list[Any], key: Mapping[str, Any]) -> Any:
    """Find the list's item with these values; one that it leaves out is the default, which the key has."""
    matching = (item for item in items if all(item.get(name, value) == value for name, value in key.items()))
    return next(matching, None)
