"""The guide's six parameters have values.

Section 2.1 of the guide. They are variables, checked before anything runs; `inv vars` tells their origins.
"""

from __future__ import annotations

from runbook.engine.change import StepResult
from runbook.engine.manual import Manual
from runbook.steps.context import Context, StepArguments


class Arguments(StepArguments):
    """Nothing to choose."""


def run(arguments: Arguments, context: Context) -> StepResult:  # noqa: ARG001 - every step takes its arguments
    """Tell the guide's parameters."""
    yield from ()  # a step is a generator, also one that changes nothing
    return " ".join(f"{name}={value}" for name, value in exports(context).items() if value)


def manual(arguments: Arguments, context: Context) -> Manual:  # noqa: ARG001 - every step takes its arguments
    """Tell how to set the guide's environment variables by hand."""
    values = {name: value for name, value in exports(context).items() if value}
    return Manual(
        commands=[["export", f"{name}={value}"] for name, value in values.items()],
        check=[["inv", "vars"]],
        undo=[["unset", *values]],
        note="Nothing below needs them, as every command has the values in it; they are for the guide's own "
        "commands.",
    )


def exports(context: Context) -> dict[str, str]:
    """Give the guide's environment variables."""
    variables = context.variables
    return {
        "CLUSTER_NAME": variables.cluster.name,
        "PROJECT_ID": variables.project,
        "REGION": variables.region,
        "ZONE": variables.zone,
        "NODEPOOL_NAME": variables.node_pool.name,
        "RESERVATION_NAME": variables.node_pool.reservation,
    }
