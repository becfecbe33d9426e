"""JSON patch (RFC 6902) and JSON merge patch (RFC 7396)."""

from __future__ import annotations

from typing import Any

from rehearsal.kube.api.status import ApiError, bad_request
from rehearsal.kube.api.store import Object, clone


def _rejected() -> ApiError:
    return ApiError(422, "Invalid", "the server rejected our request due to an error in our request")


def merge_patch(target: Any, patch: Any) -> Any:
    """Lay a JSON merge patch over a value: objects go key by key, null takes away, the rest is replaced."""
    if not isinstance(patch, dict):
        return clone(patch)
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def json_patch(target: Object, operations: Any) -> Object:
    """Carry out a JSON patch on a copy.

    Raises:
        ApiError: 400, it is not a list of operations; 422, one of them cannot be done or a test fails.
    """
    if not isinstance(operations, list):
        raise bad_request("json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    document: Any = clone(target)
    for operation in operations:
        try:
            document = _operate(document, operation)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise _rejected() from error
    patched: Object = document
    return patched


def _operate(document: Any, operation: Object) -> Any:
    verb, path = operation["op"], _steps(operation["path"])
    if verb == "test":
        if _get(document, path) != operation["value"]:
            raise ValueError("test failed")
    elif verb == "remove":
        _remove(document, path)
    elif verb in {"add", "replace"}:
        return _put(document, path, clone(operation["value"]), insert=verb == "add")
    elif verb in {"move", "copy"}:
        source = _steps(operation["from"])
        value = clone(_get(document, source))
        if verb == "move":
            _remove(document, source)
        return _put(document, path, value, insert=True)
    else:
        raise ValueError(verb)
    return document


def _steps(pointer: str) -> list[str]:
    if pointer and not pointer.startswith("/"):
        raise ValueError(pointer)
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _get(document: Any, path: list[str]) -> Any:
    for step in path:
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document


def _remove(document: Any, path: list[str]) -> None:
    parent = _get(document, path[:-1])
    del parent[int(path[-1]) if isinstance(parent, list) else path[-1]]


def _put(document: Any, path: list[str], value: Any, *, insert: bool) -> Any:
    if not path:
        return value
    parent, step = _get(document, path[:-1]), path[-1]
    if isinstance(parent, list):
        index = len(parent) if step == "-" else int(step)
        if insert and index <= len(parent):
            parent.insert(index, value)
        else:
            parent[index] = value
    elif insert or step in parent:
        parent[step] = value
    else:
        raise KeyError(step)
    return document
