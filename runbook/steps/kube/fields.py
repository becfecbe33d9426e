"""Types of the fields that a forgotten placeholder or an unquoted value spoils first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

_TEXT_MAPS: Final = frozenset({"labels", "annotations", "matchLabels", "nodeSelector", "volumeAttributes"})
_TEXT_LISTS: Final = frozenset({"args", "command", "mountOptions", "accessModes", "loadBalancerSourceRanges"})
_TEXTS: Final = frozenset(
    [
        "apiVersion",
        "kind",
        "name",
        "namespace",
        "image",
        "value",
        "key",
        "volumeHandle",
        "claimName",
        "volumeName",
        "storageClassName",
        "mountPath",
        "serviceAccountName",
        "storage",
    ]
)
_NUMBERS: Final = frozenset(
    [
        "replicas",
        "containerPort",
        "periodSeconds",
        "failureThreshold",
        "progressDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "activeDeadlineSeconds",
    ]
)


@dataclass(frozen=True)
class Problem:
    """A field that does not hold what it should.

    Args:
        path: such as `persistentvolume/vllm-pv.spec.csi.volumeHandle`.
        key: the field's own name and a colon, as it stands in the file.
        what: what is wrong with it.
    """

    path: str
    key: str
    what: str


def check_types(found: object) -> Problem | None:
    """Look for the first field that holds nothing, or something of another type.

    Args:
        found: one parsed document.
    """
    if not isinstance(found, dict) or not isinstance(found.get("kind"), str):
        return Problem("a document", "kind:", "is not a Kubernetes object: it has no kind")
    metadata = found.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
        return Problem(found["kind"].lower(), "name:", "has no metadata.name that is text")
    return next(_problems(found, f"{found['kind'].lower()}/{metadata['name']}", ""), None)


def _problems(value: Any, path: str, key: str) -> Iterator[Problem]:
    wrong = _wrong(value, key)
    if wrong:
        yield Problem(path, f"{key}:", wrong)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            inner = f"*{key}" if key in _TEXT_MAPS else str(name)
            yield from _problems(item, f"{path}.{name}", inner)
    elif isinstance(value, list):
        inner = f"*{key}" if key in _TEXT_LISTS else ""
        for number, item in enumerate(value):
            yield from _problems(item, f"{path}[{number}]", inner)


def _wrong(value: Any, key: str) -> str | None:
    if value is None:
        return "is empty"
    if (key in _TEXTS or key.startswith("*")) and not isinstance(value, str):
        return f"must be text, not {value!r}"
    if key in _NUMBERS and (not isinstance(value, int) or isinstance(value, bool)):
        return f"must be a whole number, not {value!r}"
    return None
