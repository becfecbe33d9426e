"""An add-on of the cluster is switched on.

Sections 2.3.2 (HttpLoadBalancing) and 2.3.4 (GcsFuseCsiDriver) of the guide. Where several add-ons of one
line are off, the first of the steps switches all of them on with one update (D7): each takes minutes.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from runbook.clients.gke_requests import enable_addons
from runbook.engine.change import StepResult
from runbook.engine.manual import Manual
from runbook.steps.context import Context, StepArguments
from runbook.steps.gke.features import Feature, Update, ensure
from runbook.steps.gke.manuals import feature
from runbook.steps.gke.operations import cluster_name
from runbook.steps.gke.provider import not_gke, nothing_by_hand, part_of_autopilot
from runbook.steps.gke.reads import cluster
from runbook.steps.gke.versions import require_mount

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
        RefusedError: the cluster's version does not know an option of the mount.
    """
    if skipped := not_gke(context) or part_of_autopilot(context, _by_autopilot(arguments)):
        return skipped
    if arguments.addon == "GcsFuseCsiDriver" and (found := cluster(context)):
        require_mount(context, found)
    update = Update(
        _feature(arguments),
        request=lambda lacking: enable_addons(cluster_name(context), [feature.name for feature in lacking]),
        more=[_feature(sibling) for sibling in context.siblings if isinstance(sibling, Arguments)],
    )
    return (yield from ensure(context, update))


def manual(arguments: Arguments, context: Context) -> Manual:
    """Tell how to switch the add-on on by hand."""
    if nothing := nothing_by_hand(context, _by_autopilot(arguments)):
        return nothing
    request = enable_addons(cluster_name(context), [arguments.addon])
    return feature(
        context, request, FIELDS[arguments.addon][0], f"--update-addons={arguments.addon}=DISABLED"
    )


def _by_autopilot(arguments: Arguments) -> str:
    return f"{arguments.addon} is always on"


def _feature(arguments: Arguments) -> Feature:
    return Feature(arguments.addon, *FIELDS[arguments.addon])
