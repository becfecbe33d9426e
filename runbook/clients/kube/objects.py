"""Objects as plain mappings, and what names one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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
