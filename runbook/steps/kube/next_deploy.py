"""What the next `inv deploy` would change in the server's Deployment, as the variables are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from runbook.clients.kube.objects import Reference
from runbook.engine.change import Difference
from runbook.engine.errors import RunbookError
from runbook.steps.context import Context
from runbook.steps.kube.cluster import client, live
from runbook.steps.kube.difference import differences
from runbook.steps.kube.server import deployment
from runbook.steps.kube.workload import manifest


def tell_next_deploy(context: Context, template: str) -> None:
    """Show it as the step's product; that it cannot be known is no failure, and told.

    Args:
        template: file of manifests/ that deploys the server.
    """
    try:
        found = _pending(context, template)
    except RunbookError as error:
        context.report.warning(f"what the next `inv deploy` would change is not known: {error.message}")
        return
    context.report.output(_told(found))


def _pending(context: Context, template: str) -> list[Difference]:
    reference = deployment(context)
    objects = manifest(context, template).objects
    wanted = next(item for item in objects if Reference.to(item) == reference)
    manager = context.variables.kube.field_manager
    future = client(context).apply(wanted, field_manager=manager, force=True, dry_run=True)
    present = live(context, reference)
    found = differences(present, future) if present is not None else []
    return [item for item in found if not item.path.startswith(f"{reference}.metadata.annotations")]


def _told(found: Sequence[Difference]) -> str:
    if not found:
        return "the variables say the same: the next `inv deploy` changes nothing of this"
    lines = [f"  {item.path}: {_value(item.before)} -> {_value(item.after)}" for item in found]
    return "\n".join(["the next `inv deploy` applies the variables again:", *lines])


def _value(value: Any) -> str:
    return "absent" if value is None else value if isinstance(value, str) else json.dumps(value)
