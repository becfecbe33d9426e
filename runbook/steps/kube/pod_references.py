"""What a Pod's spec refers to in its namespace, and cannot start without."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from runbook.clients.kube.objects import Object

_VOLUMES: Final = (
    ("persistentVolumeClaim", "PersistentVolumeClaim", "claimName"),
    ("secret", "Secret", "secretName"),
    ("configMap", "ConfigMap", "name"),
)
_PROJECTED: Final = (("secret", "Secret", "name"), ("configMap", "ConfigMap", "name"))
_KEYS: Final = (("secretKeyRef", "Secret", "name"), ("configMapKeyRef", "ConfigMap", "name"))
_WHOLE: Final = (("secretRef", "Secret", "name"), ("configMapRef", "ConfigMap", "name"))


def needed(pod: Object) -> Iterator[tuple[str, str]]:
    """List the kind and name of each claim, Secret, ConfigMap and ServiceAccount that is not optional.

    Args:
        pod: the spec of a Pod or of a Pod template.
    """
    if account := pod.get("serviceAccountName"):
        yield "ServiceAccount", account
    for volume in pod.get("volumes", ()):
        yield from _of(volume, _VOLUMES)
        for source in volume.get("projected", {}).get("sources", ()):
            yield from _of(source, _PROJECTED)
    for container in (*pod.get("initContainers", ()), *pod["containers"]):
        for variable in container.get("env", ()):
            yield from _of(variable.get("valueFrom", {}), _KEYS)
        for source in container.get("envFrom", ()):
            yield from _of(source, _WHOLE)


def _of(source: Object, fields: tuple[tuple[str, str, str], ...]) -> Iterator[tuple[str, str]]:
    for field, kind, name in fields:
        reference = source.get(field)
        if reference and not reference.get("optional"):
            yield kind, reference[name]
