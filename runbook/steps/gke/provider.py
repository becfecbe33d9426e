"""Where there is no GKE to talk to."""

from __future__ import annotations

from runbook.engine.change import Skip
from runbook.engine.manual import Manual
from runbook.steps.context import Context


def not_gke(context: Context) -> Skip | None:
    """Give the reason to skip a GKE section: the cluster comes from a kubeconfig file."""
    if context.variables.provider == "kubeconfig":
        return Skip("provider is kubeconfig: the cluster is used as it is")
    return None


def nothing_by_hand(context: Context) -> Manual | None:
    """Give the manual of a GKE section where there is no GKE to talk to."""
    skipped = not_gke(context)
    return Manual(note=f"Nothing is done here: {skipped.reason}.") if skipped else None
