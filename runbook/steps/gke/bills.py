"""What a cluster costs: its management fee, and the machines of each of its node pools."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from runbook.config.schema import Variables
from runbook.engine.bill import Bill
from runbook.steps.context import Context
from runbook.steps.gke.reads import Cluster, cluster


def cluster_bills(context: Context) -> Sequence[Bill]:
    """Name what bills of the cluster; nothing where it is not ours, or not there."""
    found = None if context.variables.provider == "kubeconfig" else cluster(context)
    return [] if found is None else [_fee(context, found), *_machines(context, found)]


def _fee(context: Context, found: Cluster) -> Bill:
    return Bill(f"cluster {found['name']}", "management fee", context.variables.prices.cluster)


def _machines(context: Context, found: Cluster) -> Iterator[Bill]:
    if found.get("autopilot", {}).get("enabled"):
        yield Bill(f"Pods of cluster {found['name']}", "Autopilot bills what they ask for", None)
        return
    for pool in found.get("nodePools", []):
        yield pool_bill(context.variables, pool)


def pool_bill(variables: Variables, pool: dict[str, Any]) -> Bill:
    """Name what the machines of a node pool bill.

    Args:
        pool: the GKE API's NodePool.
    """
    machine = pool.get("config", {}).get("machineType", "unknown machines")
    nodes, at_most = _nodes(pool)
    price = _price(variables, machine)
    broken = f", {pool['status']}" if pool.get("status") in {"ERROR", "RUNNING_WITH_ERROR"} else ""
    detail = f"{'up to ' if at_most or broken else ''}{nodes} x {machine}{broken}"
    return Bill(f"node pool {pool['name']}", detail, None if price is None else nodes * price)


def _nodes(pool: dict[str, Any]) -> tuple[int, bool]:
    """Count the nodes of all zones: those there are, or where a pool scales by itself those there may be."""
    zones = max(len(pool.get("locations", [])), 1)
    scaling = pool.get("autoscaling", {})
    if not scaling.get("enabled"):
        return int(pool.get("initialNodeCount", 0)) * zones, False
    whole = scaling.get("totalMaxNodeCount")
    return (int(whole) if whole else int(scaling.get("maxNodeCount", 0)) * zones), True


def _price(variables: Variables, machine: str) -> float | None:
    known = {
        variables.cluster.system_machine_type: variables.prices.system_machine,
        variables.tpu.machine_type: variables.prices.tpu_machine,
    }
    return known.get(machine)
