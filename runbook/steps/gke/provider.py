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


def nothing_by_hand(context: Context) -> Manual | None:
    """Give the manual of a GKE section where there is no GKE to talk to."""
    skipped = not_gke(context)
    return Manual(note=f"Nothing is done here: {skipped.reason}.") if skipped else None
