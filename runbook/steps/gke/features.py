"""One feature of the cluster: compared with what was read, switched on by one cluster update."""

from __future__ import annotations

import copy
from collections.abc import Generator
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
        request: switches the feature on.
    """

    name: str
    path: tuple[str, ...]
    wanted: Any
    otherwise: Any
    request: GkeRequest

    def value(self, cluster: Cluster) -> Any:
        """Read the field."""
        found: Any = cluster
        for name in self.path:
            found = found.get(name) or {} if isinstance(found, dict) else {}
        return self.otherwise if found == {} else found

    def switched_on(self, cluster: Cluster) -> Cluster:
        """Give the cluster as it will be."""
        result = copy.deepcopy(cluster)
        holder = result
        for name in self.path[:-1]:
            holder = holder.setdefault(name, {})
        holder[self.path[-1]] = self.wanted
        return result


def ensure(context: Context, feature: Feature) -> Generator[Change | Action, None, str]:
    """Switch a feature on where it is off.

    Returns:
        the step's reason.

    Raises:
        MissingError: the cluster is not there.
    """
    yield from settled(context)
    found = require_cluster(context)
    if feature.value(found) == feature.wanted:
        return _reason(context, feature)
    if (yield from joined(context, context.variables.cluster.timeout_s)):
        found = require_cluster(context)
        if feature.value(found) == feature.wanted:
            return _reason(context, feature)
    name = f"cluster/{found['name']}.{'.'.join(feature.path)}"
    yield Change(
        differences=[Difference(name, feature.value(found), feature.wanted)],
        command=feature.request.argv,
        apply=lambda: make(context, feature.request, context.variables.cluster.timeout_s),
        planned={cluster_key(context): feature.switched_on(found)},
    )
    return f"{feature.name} goes on"


def _reason(context: Context, feature: Feature) -> str:
    planned_by = context.facts.planned_by(cluster_key(context))
    return f"{feature.name} is on" + (f", as {planned_by} makes it" if planned_by else "")
