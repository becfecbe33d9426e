"""Where there is no GKE to talk to."""

from __future__ import annotations

from runbook.engine.change import Skip
from runbook.steps.context import Context


def not_gke(context: Context) -> Skip | None:
    """Give the reason to skip a GKE section: the cluster comes from a kubeconfig file."""
    if context.variables.provider == "kubeconfig":
        return Skip("provider is kubeconfig: the cluster is used as it is")
    return None
