"""A Deployment that somebody paused: nothing is rolled out until it is resumed."""

from __future__ import annotations

from runbook.clients.kube.objects import Object, Reference
from runbook.engine.errors import UserError
from runbook.engine.shell import one_line
from runbook.steps.context import Context
from runbook.steps.kube.cluster import kubectl


def refuse_paused(context: Context, deployment: Object) -> None:
    """Refuse a Deployment that is paused; an apply leaves it so, as no manifest says anything of it.

    Raises:
        UserError: it is paused.
    """
    if not deployment["spec"].get("paused"):
        return
    reference = Reference.to(deployment)
    resume = kubectl(context, "rollout", "resume", reference.short, f"--namespace={reference.namespace}")
    raise UserError(f"{reference} is paused: it rolls nothing out", remedy=one_line(resume))
