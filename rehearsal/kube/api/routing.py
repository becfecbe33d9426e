"""Which object or collection a URL names."""

from __future__ import annotations

from dataclasses import dataclass

from rehearsal.kube.api.custom.kinds import served_kinds
from rehearsal.kube.api.kinds import Kind
from rehearsal.kube.api.status import NothingServedError
from rehearsal.kube.api.store import Store


@dataclass(frozen=True)
class Target:
    """What a request is about.

    Args:
        namespace: None for cluster-wide kinds and for lists across Namespaces.
        name: None for a collection.
        subresource: such as `status`, `log`; empty for the object itself.
    """

    kind: Kind
    namespace: str | None
    name: str | None
    subresource: str


def resolve(store: Store, group: str, version: str, path: str) -> Target:
    """Read the part of a URL after the group and version: `namespaces/default/pods/a/log`.

    Raises:
        ApiError: 404, no kind is served there.
    """
    steps = [step for step in path.split("/") if step]
    namespace = None
    if len(steps) >= 3 and steps[0] == "namespaces" and steps[2] not in {"status", "finalize"}:
        namespace, steps = steps[1], steps[2:]
    kind = next(
        (
            kind
            for kind in served_kinds(store)
            if steps and (kind.group, kind.version, kind.plural) == (group, version, steps[0])
        ),
        None,
    )
    if kind is None or (namespace and not kind.namespaced):
        raise NothingServedError
    name = steps[1] if len(steps) > 1 else None
    if kind.namespaced and name and not namespace:
        raise NothingServedError
    return Target(kind, namespace, name, "/".join(steps[2:]))
