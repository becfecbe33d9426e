"""An add-on of the cluster is switched on.

Sections 2.3.2 (HttpLoadBalancing) and 2.3.4 (GcsFuseCsiDriver) of the guide.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from runbook.clients.gke_requests import enable_addon
from runbook.engine.change import StepResult
from runbook.engine.manual import Manual
from runbook.steps.context import Context, StepArguments
from runbook.steps.gke.features import Feature, ensure
from runbook.steps.gke.manuals import feature
from runbook.steps.gke.operations import cluster_name
from runbook.steps.gke.provider import not_gke, nothing_by_hand

# HTTP load balancing has an inverted field, and the API leaves out what is false
FIELDS = {
    "HttpLoadBalancing": (("addonsConfig", "httpLoadBalancing", "disabled"), False, False),
    "GcsFuseCsiDriver": (("addonsConfig", "gcsFuseCsiDriverConfig", "enabled"), True, False),
}


class Arguments(StepArguments):
    """Which add-on."""

    addon: Literal["HttpLoadBalancing", "GcsFuseCsiDriver"] = Field(description="gcloud's name of the add-on")


def run(arguments: Arguments, context: Context) -> StepResult:
    """Switch the add-on on where it is off.

    Raises:
        MissingError: the cluster is not there.
    """
    if skipped := not_gke(context):
        return skipped
    path, wanted, otherwise = FIELDS[arguments.addon]
    request = enable_addon(cluster_name(context), arguments.addon)
    return (yield from ensure(context, Feature(arguments.addon, path, wanted, otherwise, request)))


def manual(arguments: Arguments, context: Context) -> Manual:
    """Tell how to switch the add-on on by hand."""
    if nothing := nothing_by_hand(context):
        return nothing
    request = enable_addon(cluster_name(context), arguments.addon)
    return feature(
        context, request, FIELDS[arguments.addon][0], f"--update-addons={arguments.addon}=DISABLED"
    )
