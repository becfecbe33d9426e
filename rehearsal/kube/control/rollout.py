"""The arithmetic of a rolling update: how large each ReplicaSet may be now."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rehearsal.kube.api.store import Object

Step = tuple[Object, int]


def replicas(obj: Object) -> int:
    """Give spec.replicas of a Deployment or ReplicaSet."""
    found: int = obj["spec"].get("replicas", 1)
    return found


def surge_and_unavailable(deployment: Object) -> tuple[int, int]:
    """Resolve maxSurge (rounded up) and maxUnavailable (rounded down); a rolling update never has both 0."""
    if deployment["spec"]["strategy"]["type"] == "Recreate":
        return 0, 0
    rolling = deployment["spec"]["strategy"].get("rollingUpdate") or {}
    wanted = replicas(deployment)
    surge = math.ceil(_resolve(rolling.get("maxSurge", "25%"), wanted))
    unavailable = math.floor(_resolve(rolling.get("maxUnavailable", "25%"), wanted))
    return (surge, unavailable) if surge or unavailable else (0, 1)


def _resolve(value: int | str, wanted: int) -> float:
    if isinstance(value, str) and value.endswith("%"):
        return int(value[:-1]) * wanted / 100
    return float(value)


def rolling_update(deployment: Object, newest: Object, old: list[Object]) -> Iterator[Step]:
    """Give the new sizes of the ReplicaSets: the newest grows first, the old ones shrink, oldest first."""
    surge, unavailable = surge_and_unavailable(deployment)
    wanted = replicas(deployment)
    total = sum(map(replicas, [newest, *old]))
    grown = _newest_size(newest, wanted, total, wanted + surge)
    yield newest, grown
    if grown > replicas(newest):
        total += grown - replicas(newest)
    yield from _shrink(newest, grown, old, total, wanted - unavailable)


def _newest_size(newest: Object, wanted: int, total: int, most: int) -> int:
    present = replicas(newest)
    if present >= wanted:
        return wanted
    return present + max(min(most - total, wanted - present), 0)


def _shrink(newest: Object, grown: int, old: list[Object], total: int, least: int) -> Iterator[Step]:
    not_yet_available = max(grown - available(newest), 0)
    may_go = total - least - not_yet_available
    sizes = [replicas(entry) for entry in old]
    for index, entry in enumerate(old):
        unhealthy = min(max(sizes[index] - available(entry), 0), max(may_go, 0))
        sizes[index] -= unhealthy
        may_go -= unhealthy
    spare = min(available(newest) + sum(map(available, old)) - least, may_go)
    for index, entry in enumerate(old):
        healthy = min(sizes[index], max(spare, 0))
        sizes[index] -= healthy
        spare -= healthy
        yield entry, sizes[index]


def available(replica_set: Object) -> int:
    """Give status.availableReplicas."""
    found: int = (replica_set.get("status") or {}).get("availableReplicas", 0)
    return found
