"""Features of the cluster: compared with what was read, switched on by one cluster update."""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

from runbook.clients.gke_requests import GkeRequest
from runbook.engine.change import Action, Change, Difference
from runbook.steps.context import Context
from runbook.steps.gke.cluster import settled
from runbook.steps.gke.operations import joined, make
from runbook.steps.gke.reads import Cluster, cluster_key, require_cluster


@dataclass(frozen=True)
class Feature:
    """A field of the cluster and the value that it should have.

    Args:
        name: as people call it.
        path: the field, such as ("addonsConfig", "gcsFuseCsiDriverConfig", "enabled").
        wanted: its value where the feature is on.
        otherwise: its value where the API leaves it out (false and empty values are not sent).
    """

    name: str
    path: tuple[str, ...]
    wanted: Any
    otherwise: Any

    def value(self, cluster: Cluster) -> Any:
        """Read the field."""
        found: Any = cluster
        for name in self.path:
            found = found.get(name) or {} if isinstance(found, dict) else {}
        return self.otherwise if found == {} else found

    def is_on(self, cluster: Cluster) -> bool:
        """Tell whether the cluster has it."""
        return bool(self.value(cluster) == self.wanted)

    def difference(self, cluster: Cluster) -> Difference:
        """Tell how the cluster's field is not as it should be."""
        path = f"cluster/{cluster['name']}.{'.'.join(self.path)}"
        return Difference(path, self.value(cluster), self.wanted)


@dataclass(frozen=True)
class Update:
    """One cluster update, and what it switches on.

    Args:
        feature: what the step is about; where it is on, there is no update.
        more: what the same update switches on too, where it is off.
        request: makes the request that switches on the features it is given.
    """

    feature: Feature
    request: Callable[[Sequence[Feature]], GkeRequest]
    more: Sequence[Feature] = ()

    def lacking(self, cluster: Cluster | None) -> list[Feature]:
        """Give what is to be switched on; nothing where the step's own feature is on."""
        if cluster is None or self.feature.is_on(cluster):
            return []
        return [self.feature, *(feature for feature in self.more if not feature.is_on(cluster))]


def ensure(context: Context, update: Update) -> Generator[Change | Action, None, str]:
    """Switch a feature on where it is off.

    Returns:
        the step's reason.

    Raises:
        MissingError: the cluster is not there.
    """
    yield from settled(context)
    found = require_cluster(context)
    if update.lacking(found) and (yield from joined(context, context.variables.cluster.timeout_s)):
        found = require_cluster(context)
    lacking = update.lacking(found)
    if not lacking:
        return _reason(context, update.feature)
    request = update.request(lacking)
    yield Change(
        differences=[feature.difference(found) for feature in lacking],
        command=request.argv,
        apply=lambda: make(
            context,
            request,
            context.variables.cluster.timeout_s,
            needed=lambda now: bool(update.lacking(now)),
        ),
        planned={cluster_key(context): _switched_on(found, lacking)},
    )
    return f"{' and '.join(feature.name for feature in lacking)} {'go' if lacking[1:] else 'goes'} on"


def _switched_on(cluster: Cluster, features: Sequence[Feature]) -> Cluster:
    """Give the cluster as it will be."""
    result = copy.deepcopy(cluster)
    for feature in features:
        holder = result
        for name in feature.path[:-1]:
            holder = holder.setdefault(name, {})
        holder[feature.path[-1]] = feature.wanted
    return result


def _reason(context: Context, feature: Feature) -> str:
    planned_by = context.facts.planned_by(cluster_key(context))
    return f"{feature.name} is on" + (f", as {planned_by} makes it" if planned_by else "")
