"""P13: the chips that the server asks for are free, or its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from runbook.clients.kube.objects import Object
from runbook.doctor.preflight.check import Answers, failed, ok
from runbook.doctor.preflight.nodes import no_nodes
from runbook.doctor.preflight.reads import (
    CHIPS,
    chips_of,
    has_pool,
    is_managed,
    labels_of,
    listed,
    reachable,
    tpu_nodes,
)
from runbook.steps.context import Context

ENDED = frozenset({"Succeeded", "Failed"})


@dataclass(frozen=True)
class _Claim:
    """Chips that one Pod holds.

    Args:
        node: where.
        pod: who, with the namespace.
        is_ours: whether it is the server's.
    """

    node: str
    pod: str
    chips: int
    is_ours: bool


def free_chips(context: Context) -> Answers:
    """P13: the server's Pods have the chips that they ask for, or can get them."""
    if not reachable(context) or not has_pool(context):
        yield ok(no_nodes(context))
        return
    nodes = tpu_nodes(context)
    if not nodes:
        yield ok("there are no TPU nodes")
        return
    held = [claim for claim in _claims(context) if claim.node in {node["metadata"]["name"] for node in nodes}]
    others = [claim for claim in held if not claim.is_ours]
    replicas, chips = context.variables.server.replicas, context.variables.tpu.chips
    room = sum(_left(node, others) // chips for node in nodes)
    if room < replicas and not is_managed(context):
        who = ", ".join(f"{claim.pod} ({claim.chips})" for claim in others) or "nobody"
        yield failed(
            f"{replicas} Pod(s) want {chips} chips each, and there is room for {room}; others hold: {who}",
            "delete what holds them, or raise node_pool.nodes, or lower server.replicas",
        )
        return
    offered = sum(chips_of(node) for node in nodes)
    ours = sum(claim.chips for claim in held if claim.is_ours)
    free = offered - sum(claim.chips for claim in held)
    yield ok(f"{free} of {offered} chips are free, the server holds {ours}, it needs {replicas * chips}")


def _claims(context: Context) -> Iterator[_Claim]:
    variables = context.variables
    for pod in listed(context, "v1", "Pod"):
        chips = _asked(pod)
        if not chips or "nodeName" not in pod["spec"] or pod.get("status", {}).get("phase") in ENDED:
            continue
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        is_ours = namespace == variables.kube.namespace and labels_of(pod).get("app") == variables.server.name
        yield _Claim(pod["spec"]["nodeName"], f"{namespace}/{name}", chips, is_ours)


def _left(node: Object, others: Sequence[_Claim]) -> int:
    """Count the chips of a node that nobody else holds."""
    held = sum(claim.chips for claim in others if claim.node == node["metadata"]["name"])
    return chips_of(node) - held


def _asked(pod: Object) -> int:
    containers = pod["spec"].get("containers", [])
    return sum(
        int(container.get("resources", {}).get("requests", {}).get(CHIPS, "0")) for container in containers
    )
