"""Objects as plain mappings, and what names one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

Object = dict[str, Any]
"""A Kubernetes object as the API takes and gives it."""


@dataclass(frozen=True)
class Reference:
    """The name of one object.

    Args:
        api_version: such as `apps/v1`.
        kind: such as `Deployment`.
        namespace: empty for a cluster-wide object.
    """

    api_version: str
    kind: str
    namespace: str
    name: str

    @classmethod
    def to(cls, found: Object) -> Reference:
        """Name an object."""
        metadata = found["metadata"]
        return cls(found["apiVersion"], found["kind"], metadata.get("namespace", ""), metadata["name"])

    @property
    def short(self) -> str:
        """Name it as kubectl does: `deployment/vllm-tpu`."""
        return f"{self.kind.lower()}/{self.name}"

    def __str__(self) -> str:
        return self.short


def is_terminating(found: Object | None) -> bool:
    """Tell whether an object is on its way out."""
    return found is not None and "deletionTimestamp" in found["metadata"]


@dataclass(frozen=True)
class Selection:
    """Which objects a list or a watch is about.

    Args:
        namespace: empty for all, or for a cluster-wide kind.
        labels: a label selector; empty: any.
        fields: a field selector; empty: any.
    """

    api_version: str
    kind: str
    namespace: str
    labels: str = ""
    fields: str = ""

    @classmethod
    def of(cls, reference: Reference) -> Selection:
        """Select one object."""
        fields = f"metadata.name={reference.name}"
        return cls(reference.api_version, reference.kind, reference.namespace, fields=fields)


class Reader(Protocol):
    """Whatever tells how a cluster's objects are: the API server asked each time, or a view that is kept."""

    def get(self, reference: Reference) -> Object | None:
        """Read one object; None where there is none."""

    def list(
        self,
        api_version: str,
        kind: str,
        namespace: str,
        labels: Mapping[str, str] | None = None,
        fields: str = "",
    ) -> list[Object]:
        """List objects; namespace, labels and fields choose."""

    def logs(
        self, namespace: str, pod: str, container: str, *, previous: bool = False, tail: int | None = None
    ) -> str:
        """Read a container's log, or its last lines; empty where it has not started."""
