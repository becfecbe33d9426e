"""Where there is no GKE to talk to."""

from __future__ import annotations

from runbook.engine.change import Skip
from runbook.engine.manual import Manual
from runbook.steps.context import Context
from runbook.steps.gke.reads import cluster, is_autopilot


def not_gke(context: Context) -> Skip | None:
    """Give the reason to skip a GKE section: the cluster comes from a kubeconfig file."""
    if context.variables.provider == "kubeconfig":
        return Skip("provider is kubeconfig: the cluster is used as it is")
    return None


def part_of_autopilot(context: Context, why: str) -> Skip | None:
    """Give the reason to skip what an Autopilot cluster has, or does, by itself.

    Args:
        why: what it has or does.
    """
    found = cluster(context)
    if found is not None and is_autopilot(found):
        return Skip(f"cluster {found['name']} is Autopilot: {why}")
    return None


def nothing_by_hand(context: Context, of_autopilot: str = "") -> Manual | None:
    """Give the manual of a GKE section where there is no GKE to talk to, or where Autopilot does it.

    Args:
        of_autopilot: what an Autopilot cluster has or does by itself; empty where that makes no difference.
    """
    reason = ""
    if skipped := not_gke(context):
        reason = skipped.reason
    elif of_autopilot and context.variables.cluster.mode == "autopilot":
        reason = f"on an Autopilot cluster {of_autopilot}"
    return Manual(note=f"Nothing is done here: {reason}.") if reason else None
