"""The cluster's Gateway API is on.

Section 2.3.3 of the guide; only the inference gateway needs it.
"""

from __future__ import annotations

from runbook.clients.gke_requests import enable_gateway_api
from runbook.engine.change import StepResult
from runbook.engine.manual import Manual
from runbook.steps.context import Context, StepArguments
from runbook.steps.gke.features import Feature, Update, ensure
from runbook.steps.gke.manuals import feature
from runbook.steps.gke.operations import cluster_name
from runbook.steps.gke.provider import not_gke, nothing_by_hand

PATH = ("networkConfig", "gatewayApiConfig", "channel")


class Arguments(StepArguments):
    """Nothing to choose."""


def run(arguments: Arguments, context: Context) -> StepResult:  # noqa: ARG001 - every step takes its arguments
    """Switch the Gateway API on where it is off.

    Raises:
        MissingError: the cluster is not there.
    """
    if skipped := not_gke(context):
        return skipped
    wanted = Feature("the Gateway API", PATH, "CHANNEL_STANDARD", "CHANNEL_DISABLED")
    request = enable_gateway_api(cluster_name(context))
    return (yield from ensure(context, Update(wanted, lambda _: request)))


def manual(arguments: Arguments, context: Context) -> Manual:  # noqa: ARG001 - every step takes its arguments
    """Tell how to switch the Gateway API on by hand."""
    if nothing := nothing_by_hand(context):
        return nothing
    return feature(context, enable_gateway_api(cluster_name(context)), PATH, "--gateway-api=disabled")
