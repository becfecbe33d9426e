"""Why no node takes a Pod, computed from Pods and Nodes: the scheduler's message counts, it does not name.

The three reasons exclude one another: no node is meant (18); those meant keep the Pod away (17); those that
would take it have no chips left (16).
"""

from __future__ import annotations

from collections.abc import Iterator

from runbook.clients.kube.objects import Object
from runbook.doctor.diagnosis.pods import is_unscheduled, name_of
from runbook.doctor.diagnosis.snapshot import Snapshot
from runbook.steps.kube.placement import (
    CHIPS,
    chips_of,
    free,
    holders,
    matches,
    tpu_nodes,
    untolerated,
    wanted_labels,
)
from runbook.steps.symptoms.evidence import Evidence, Source


def chips_held(seen: Snapshot) -> Iterator[Evidence]:
    """Find Pods for which every node that would take them lacks chips, and say who holds these."""
    for pod, meant in _waiting(seen):
        wanted = chips_of(pod)
        open_to_it = [node for node in meant if not untolerated(pod, node)]
        full = all(free(seen.pods, node) < wanted for node in open_to_it)
        if wanted and open_to_it and full and not _may_get_a_node(seen, pod):
            for node in open_to_it:
                yield _state(pod, f"wants {wanted} chips; {holders(seen.pods, node)}")


def taint_not_tolerated(seen: Snapshot) -> Iterator[Evidence]:
    """Find Pods that are meant for TPU nodes and do not tolerate their taint."""
    for pod, meant in _waiting(seen):
        if meant and all(_is_kept_away_by_chips(pod, node) for node in meant):
            names = ", ".join(node["metadata"]["name"] for node in meant)
            asks = f"asks for {chips_of(pod)} chips" if chips_of(pod) else "asks for no chip"
            yield _state(pod, f"{asks} and does not tolerate the taint {CHIPS} of {names}")


def no_node_matches(seen: Snapshot) -> Iterator[Evidence]:
    """Find Pods that no node is meant for, and say what the TPU nodes are."""
    for pod, meant in _waiting(seen):
        if not meant and not _may_get_a_node(seen, pod):
            yield _state(pod, f"wants a node with {wanted_labels(pod)}; {tpu_nodes(seen.nodes)}")


def _waiting(seen: Snapshot) -> Iterator[tuple[Object, list[Object]]]:
    """Give each Pod that the scheduler cannot place, with the nodes that its selector means."""
    for pod in seen.troubled_pods if seen.nodes_known else ():
        if is_unscheduled(pod) and "PersistentVolumeClaim" not in _message(pod):
            yield pod, [node for node in seen.nodes if matches(pod, node)]


def _may_get_a_node(seen: Snapshot, pod: Object) -> bool:
    """Tell whether GKE makes nodes for Pods that wait, and has not said that it makes none for this one."""
    cluster, pool = seen.cluster or {}, seen.node_pool or {}
    makes_nodes = (
        cluster.get("autopilot", {}).get("enabled")
        or cluster.get("autoscaling", {}).get("enableNodeAutoprovisioning")
        or pool.get("autoscaling", {}).get("enabled")
    )
    refused = any(
        event.get("reason") == "NotTriggerScaleUp"
        and event.get("involvedObject", {}).get("uid") == pod["metadata"]["uid"]
        for event in seen.events
    )
    return bool(makes_nodes) and not refused


def _message(pod: Object) -> str:
    conditions = pod["status"].get("conditions", ())
    return next((str(item.get("message")) for item in conditions if item["type"] == "PodScheduled"), "")


def _state(pod: Object, text: str) -> Evidence:
    return Evidence(Source.STATE, name_of(pod), text)


def _is_kept_away_by_chips(pod: Object, node: Object) -> bool:
    return any(taint["key"] == CHIPS for taint in untolerated(pod, node))
