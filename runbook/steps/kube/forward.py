"""A port of this machine leads to the Service, for as long as the line of tasks runs.

Section 4.4 of the guide. Each connection takes a ready Pod afresh, so the forward outlives a Pod. It
listens on `smoke.local_port` or, where that is taken, on the next free port.
"""

from __future__ import annotations

from runbook.engine.change import Action, StepResult
from runbook.engine.manual import Manual
from runbook.steps.context import Context, StepArguments
from runbook.steps.kube.cluster import kubectl
from runbook.steps.kube.server import address, local_address, local_port, require_answering


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
    yield Action(
        f"forward to service/{service}",
        lambda: address(context),
        command=forward_command(context, local_port(context)),
    )
    if context.check:
        return f"would forward to service/{service} port {port}"
    return f"{address(context)} leads to service/{service} port {port}"


def manual(arguments: Arguments, context: Context) -> Manual:  # noqa: ARG001 - every step takes its arguments
    """Tell how to forward the port by hand."""
    return Manual(
        commands=[forward_command(context, local_port(context))],
        check=[["curl", "--fail", "--include", f"{local_address(context)}/health"]],
        note="It runs until Ctrl-C, and ends with the Pod: leave it in a terminal of its own. "
        "Nothing else is to be undone.",
    )


def forward_command(context: Context, port: int) -> list[str]:
    """Write the kubectl command that forwards a port of this machine to the Service."""
    variables = context.variables
    return kubectl(
        context,
        *("port-forward", f"service/{variables.server.service}"),
        f"{port}:{variables.server.port}",
        f"--namespace={variables.kube.namespace}",
    )
