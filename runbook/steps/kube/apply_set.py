"""What 4.3 has in the cluster, kept there: an ApplySet (KEP-3659), which tells what is no longer rendered.

Members carry `applyset.kubernetes.io/part-of`; a ConfigMap is the set's parent. It lies in the namespace
that every cluster has: where `kube.namespace` changes, the set still knows the old one.
Its data name each member, so that a set that is as it should be costs one read, where the specification's
annotations alone would cost one list for each kind and namespace.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from runbook.clients.kube.objects import Object, Reference

PART_OF: Final = "applyset.kubernetes.io/part-of"
PARENT_NAMESPACE: Final = "default"
_ID: Final = "applyset.kubernetes.io/id"
_TOOLING: Final = "applyset.kubernetes.io/tooling"
_KINDS: Final = "applyset.kubernetes.io/contains-group-kinds"
_NAMESPACES: Final = "applyset.kubernetes.io/additional-namespaces"
_OURS: Final = "runbook/v1"
_UNFIT: Final = re.compile(r"[^a-z0-9.-]|[.-](?=[.-])|[.-]$")


@dataclass(frozen=True)
class ApplySet:
    """The set of one template's objects in one environment.

    Args:
        name: of the parent.
        labels: those of everything that this environment makes.
    """

    name: str
    labels: Mapping[str, str]

    @property
    def parent(self) -> Reference:
        """Name the parent."""
        return Reference("v1", "ConfigMap", PARENT_NAMESPACE, self.name)

    @property
    def id(self) -> str:
        """Give the value of the members' label."""
        return set_id(self.parent)

    def holding(self, members: Iterable[Reference]) -> Object:
        """Make the parent of these members.

        Source: sections "ApplySet Parent Object" and "ApplySet Identification" of KEP-3659.
        """
        names = sorted(set(members), key=_key)
        kinds = sorted({_group_kind(item) for item in names})
        spaces = sorted({item.namespace for item in names} - {"", PARENT_NAMESPACE})
        annotations = {_TOOLING: _OURS, _KINDS: ",".join(kinds)}
        if spaces:
            annotations[_NAMESPACES] = ",".join(spaces)
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": self.name,
                "namespace": PARENT_NAMESPACE,
                "labels": {**self.labels, _ID: self.id},
                "annotations": annotations,
            },
            "data": {_key(item): item.api_version for item in names},
        }

    def has(self, found: Object) -> bool:
        """Tell whether an object is a member, or was made for this environment before there were sets."""
        labels = found["metadata"].get("labels") or {}
        return bool(labels.get(PART_OF, self.id) == self.id and self.labels.items() <= labels.items())


def set_name(template: str, environment: str) -> str:
    """Name a set's parent: another template or environment is another set.

    Args:
        template: the template's file name.
    """
    name = f"{template.partition('.')[0]}-{environment}"
    fit = _UNFIT.sub("-", name.lower())
    return name if fit == name else f"{fit}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def set_id(parent: Reference) -> str:
    """Identify a set by its parent, as KEP-3659 has it: no two parents have one id."""
    group = parent.api_version.rpartition("/")[0]
    text = ".".join([parent.name, parent.namespace, parent.kind, group])
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
    return f"applyset-{digest}-v1"


def is_parent(found: Object) -> bool:
    """Tell whether an object is the parent of a set."""
    return found["kind"] == "ConfigMap" and _ID in (found["metadata"].get("labels") or {})


def members(parent: Object) -> list[Reference]:
    """Read which objects a set's parent names."""
    return [_reference(key, version) for key, version in (parent.get("data") or {}).items()]


def _group_kind(item: Reference) -> str:
    group = item.api_version.rpartition("/")[0]
    return f"{item.kind}.{group}" if group else item.kind


def _key(item: Reference) -> str:
    """Write a member as a key of the parent's data, which takes letters, digits and `-._`."""
    return f"{item.kind}_{item.namespace}_{item.name}"


def _reference(key: str, api_version: str) -> Reference:
    kind, namespace, name = key.split("_", 2)
    return Reference(api_version, kind, namespace, name)
