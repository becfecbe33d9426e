"""Pods on their way out: they make room for the next ones, unless they stay for longer than they may."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from runbook.clients.kube.objects import Object, is_terminating
from runbook.steps.kube.remedies import KUBECTL
from runbook.steps.kube.trouble import Diagnosis

_LATE_SECONDS: Final = 300.0
"""Unmounting a bucket writes what is still to be written; and clocks differ."""


def overdue(pods: Sequence[Object]) -> Diagnosis | None:
    """Look for a Pod that should have ended: the API server writes until when it may take.

    Args:
        pods: of one Deployment or Job.
    """
    now = datetime.now(UTC)
    late = [pod for pod in pods if is_terminating(pod) and _due(pod) < now]
    if not late:
        return None
    first = min(late, key=_due)
    metadata = first["metadata"]
    name, namespace = metadata["name"], metadata["namespace"]
    text = (
        f"the old Pod {name} should have ended at {metadata['deletionTimestamp']}, and still holds its"
        f" chips{_where(first)}"
    )
    remedy = (
        f"see what holds it: {KUBECTL} describe pod {name} --namespace={namespace}; where its node is lost or"
        f" a mount hangs: {KUBECTL} delete pod {name} --namespace={namespace} --grace-period=0 --force"
    )
    return Diagnosis(text, "Terminating", _LATE_SECONDS, text, remedy)


def _due(pod: Object) -> datetime:
    return datetime.fromisoformat(pod["metadata"]["deletionTimestamp"])


def _where(pod: Object) -> str:
    node = pod["spec"].get("nodeName")
    return f" on {node}" if node else ""
