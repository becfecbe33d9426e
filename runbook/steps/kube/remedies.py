"""Commands in remedies reach this environment's cluster, whatever the operator's own context is."""

from __future__ import annotations

from typing import Final

from runbook.engine.shell import one_line
from runbook.steps.context import Context
from runbook.steps.kube.cluster import kubectl

KUBECTL: Final = "{kubectl}"
"""Begins a command in the remedy of those who see only objects; the arguments follow."""


def reaching(context: Context, remedy: str) -> str:
    """Write the commands of a remedy as they can be pasted.

    Args:
        remedy: its commands begin with `KUBECTL`.
    """
    if KUBECTL not in remedy:  # the kubeconfig may be what is broken
        return remedy
    return remedy.replace(KUBECTL, one_line(kubectl(context)))
