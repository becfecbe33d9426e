"""A port of this machine leads to the Service, for as long as the line of tasks runs.

Section 4.4 of the guide. Each connection takes a ready Pod afresh, so the forward outlives a Pod. It
listens on `smoke.local_port` or, where that is taken, on the next free port.
"""

from __future__ import annotations

from runbook.engine.change import Action, StepResult
from runbook.steps.context import Context, StepArguments
from runbook.steps.kube.cluster import kubectl
from runbook.steps.kube.server import address, require_answering


class Arguments(StepArguments):
    """What `with:` may say: nothing."""


def run(arguments: Arguments, context: Context) -> StepResult:  # noqa: ARG001 - every step takes its arguments
    """Open the forward.

    Raises:
        MissingError: no Pod of the server is ready.
        ConflictError: there is no free port.
    """
    require_answering(context)
    variables = context.variables
    service, port = variables.server.service, variables.server.port
    local = variables.smoke.local_port or ""
    yield Action(
        f"forward to service/{service}",
        lambda: address(context),
        command=kubectl(
            context,
            *("port-forward", f"service/{service}", f"{local}:{port}"),
            f"--namespace={variables.kube.namespace}",
        ),
    )
    if context.check:
        return f"would forward to service/{service} port {port}"
    return f"{address(context)} leads to service/{service} port {port}"
