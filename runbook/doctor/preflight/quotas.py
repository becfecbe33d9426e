"""P7, where the machines do not come from a reservation: the quota that their provisioning model spends."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from runbook.doctor.preflight.check import Answers, failed, ok, warning
from runbook.engine.errors import RefusedError
from runbook.steps.context import Context

ON_DEMAND = re.compile(r"TPUS-PER-TPU-FAMILY-per-project-region")
FAMILY = "tpu_family"
"""The dimension of the on-demand quota; its values are machine families in capitals."""
UNLIMITED = -1


def quota(context: Context) -> Answers:
    """Compare the quota with the chips of the node pool.

    On-demand machines spend the quota of their TPU family, which is 0 until it is asked for; spot machines
    spend the preemptible one; flex-start machines spend the preemptible one first, then the other.
    """
    variables = context.variables
    capacity = variables.node_pool.capacity
    needed = variables.node_pool.nodes * variables.tpu.chips
    try:
        infos = context.connections.compute.quotas(variables.project)
    except RefusedError as error:
        yield warning(f"the quota cannot be read: {error.message}", error.remedy or "")
        return
    values = [value for pattern in _spent(context) for value in _values(context, infos, pattern)]
    page = f"https://console.cloud.google.com/iam-admin/quotas?project={variables.project}"
    if not values:
        yield warning(
            f"no TPU quota for {capacity} machines in {variables.region} is listed: on-demand, that means 0",
            f"ask for {needed} chips: {page}",
        )
        return
    if UNLIMITED not in values and max(values) < needed:
        yield failed(
            f"the {capacity} quota in {variables.region} is {max(values)} chips, and {needed} are needed",
            f"ask for more: {page}",
        )
        return
    yield ok(f"the {capacity} quota in {variables.region} is {_shown(values)}, and {needed} are needed")


def _spent(context: Context) -> Sequence[re.Pattern[str]]:
    """Name the quotas that the provisioning model spends, by patterns of their ids."""
    digits = re.sub(r"\D", "", _family(context))
    preemptible = re.compile(rf"PREEMPTIBLE-TPU-?V?{digits}X?-per-project-(region|zone)")
    match context.variables.node_pool.capacity:
        case "spot":
            return (preemptible,)
        case "flex-start":
            return (preemptible, ON_DEMAND)
        case _:
            return (ON_DEMAND,)


def _values(context: Context, infos: Sequence[dict[str, Any]], wanted: re.Pattern[str]) -> Iterator[int]:
    for info in infos:
        if not wanted.fullmatch(info.get("quotaId", "")):
            continue
        for entry in info.get("dimensionsInfos", []):
            if _is_here(context, entry):
                yield int(entry.get("details", {}).get("value", "0"))


def _is_here(context: Context, entry: dict[str, Any]) -> bool:
    variables = context.variables
    dimensions = entry.get("dimensions", {})
    places = {variables.region, variables.zone}
    return (
        dimensions.get("region", variables.region) in places
        and dimensions.get("zone", variables.zone) in places
        and dimensions.get(FAMILY, _family(context)) == _family(context)
    )


def _family(context: Context) -> str:
    return context.variables.tpu.machine_type.partition("-")[0].upper()


def _shown(values: Sequence[int]) -> str:
    return "unlimited" if UNLIMITED in values else f"{max(values)} chips"
