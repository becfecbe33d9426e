"""Whether nodes come for Pods that fit none: what can be waited for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from runbook.steps.context import Context
from runbook.steps.gke import reads

_WHOLE_SOON: Final = frozenset({"RUNNING", "RECONCILING", "PROVISIONING"})
_MADE_FOR_PODS: Final = frozenset({"spot", "flex-start"})


class Growth(Enum):
    """Whether there will be other nodes than those that are there."""

    NONE = "none"
    UNKNOWN = "unknown"
    EXPECTED = "expected"


@dataclass(frozen=True)
class Supply:
    """Where nodes come from.

    Args:
        growth: whether more of them come by themselves.
        pool: the GKE node pool that the Pods are meant for; empty where none is known.
        nodes: how many a pool of fixed size has when it is whole: GKE takes one away, and makes it anew, to
            upgrade or repair it; 0 where that is not known.
    """

    growth: Growth = Growth.UNKNOWN
    pool: str = ""
    nodes: int = 0


def of_tpus(context: Context) -> Supply:
    """Tell where nodes for the server come from.

    Capacity that is waited for, an Autopilot cluster and a node pool that is scaled make nodes for Pods; a
    pool of fixed size that runs has those that it will have; of any other cluster nothing is known.
    """
    variables = context.variables
    pool = variables.node_pool.name
    if variables.node_pool.capacity in _MADE_FOR_PODS or variables.cluster.mode == "autopilot":
        return Supply(Growth.EXPECTED, pool)
    cluster = None if variables.provider == "kubeconfig" else reads.cluster(context)
    found = reads.node_pool(context, cluster) if cluster else None
    if cluster is None or found is None:
        return Supply(Growth.UNKNOWN)
    if cluster.get("autoscaling", {}).get("enableNodeAutoprovisioning") or found.get("autoscaling", {}).get(
        "enabled"
    ):
        return Supply(Growth.EXPECTED, pool)
    growth = Growth.NONE if found.get("status") == "RUNNING" else Growth.UNKNOWN
    return Supply(growth, pool, whole(found))


def whole(pool: dict[str, Any]) -> int:
    """Count the nodes that a pool of fixed size has, or will have by itself; 0 where some could not be made.

    Args:
        pool: as GKE gives it; its count is of each zone.
    """
    if pool.get("status") not in _WHOLE_SOON:
        return 0
    return int(pool.get("initialNodeCount", 0)) * max(len(pool.get("locations", ())), 1)
