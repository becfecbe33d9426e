"""P11 and P12: the TPU nodes, and the daemons on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from runbook.clients.kube.objects import Object
from runbook.doctor.preflight.check import Answer, Answers, failed, ok, warning
from runbook.doctor.preflight.reads import (
    ACCELERATOR_LABEL,
    CHIPS,
    TOPOLOGY_LABEL,
    chips_of,
    has_pool,
    is_managed,
    labels_of,
    listed,
    of_kubeconfig,
    reachable,
    tpu_nodes,
)
from runbook.engine.shell import one_line
from runbook.steps.context import Context
from runbook.steps.gke.reads import cluster, node_pool
from runbook.steps.kube.cluster import kubectl

SYSTEM = "kube-system"
CORDONED = "node.kubernetes.io/unschedulable"
BLOCKING = frozenset({"NoSchedule", "NoExecute"})
BROKEN = frozenset({"ERROR", "RUNNING_WITH_ERROR"})
NO_NODES = "there are no TPU nodes yet: 2.4 makes them"


def daemons(context: Context) -> Answers:
    """P11: the metadata server and the CSI driver run on every node that should have them."""
    if not reachable(context):
        yield ok("there is no cluster yet: 2.3.1 and 2.3.4 switch them on")
        return
    if of_kubeconfig(context):
        yield ok("provider is kubeconfig: who mounts, and who gives tokens, is the cluster's own choice")
        return
    found = cluster(context) or {}
    known = {one["metadata"]["name"]: one for one in listed(context, "apps/v1", "DaemonSet", SYSTEM)}
    identity = bool(found.get("workloadIdentityConfig", {}).get("workloadPool"))
    driver = bool(found.get("addonsConfig", {}).get("gcsFuseCsiDriverConfig", {}).get("enabled"))
    yield _daemon(context, known, "gke-metadata-server", identity, "2.3.1")
    yield _daemon(context, known, "gcsfusecsi-node", driver, "2.3.4")


def ready(context: Context) -> Answers:
    """P12: each TPU node is Ready, offers its chips, and has the labels and the taint that Pods expect."""
    if not reachable(context) or not has_pool(context):
        yield ok(no_nodes(context))
        return
    found = tpu_nodes(context)
    if not found or _pool(context).get("status") in BROKEN:
        yield _without_nodes(context)
        return
    problems = [problem for node in found for problem in _problems(context, node)]
    if problems:
        yield from problems
        return
    chips = context.variables.tpu.chips
    yield ok(f"{len(found)} ready with {chips} chips, labels and taint as expected")


def no_nodes(context: Context) -> str:
    """Say why there are no TPU nodes, and who makes them."""
    return "Autopilot makes TPU nodes when a Pod asks for them" if is_managed(context) else NO_NODES


def _pool(context: Context) -> dict[str, Any]:
    """Give the TPU node pool as GKE knows it; nothing where there is none of ours."""
    found = None if of_kubeconfig(context) else cluster(context)
    return (node_pool(context, found) if found else None) or {}


def _without_nodes(context: Context) -> Answer:
    name, pool = context.variables.node_pool.name, _pool(context)
    said = "; ".join(condition.get("message", "") for condition in pool.get("conditions", []))
    if pool.get("status") in BROKEN:
        mend = "`inv step 6.2` deletes it, then `inv step 2.4` makes it anew"
        return failed(f"node pool {name} is {pool['status']}: {said or 'no reason given'}", mend)
    if context.variables.node_pool.capacity == "flex-start":
        return ok(f"node pool {name} has no node now: flex-start makes them when a Pod asks")
    return failed(
        f"node pool {name} is {pool.get('status')} and has no node", "wait, or look at its instances"
    )


def _daemon(context: Context, known: Mapping[str, Object], name: str, wanted: bool, section: str) -> Answer:
    if not wanted:
        return ok(f"is off: {section} switches it on", about=name)
    status = known[name].get("status", {}) if name in known else {}
    desired, there = status.get("desiredNumberScheduled", 0), status.get("numberReady", 0)
    if not desired:
        return warning("runs on no node yet", "it comes within minutes of being switched on", about=name)
    if there < desired:
        where = f"--namespace={SYSTEM}", f"--selector=k8s-app={name}", "--output=wide"
        look = one_line(kubectl(context, "get", "pods", *where))
        return failed(f"is ready on {there} of {desired} nodes: Pods there do not start", look, about=name)
    return ok(f"is ready on all {desired} node(s)", about=name)


def _problems(context: Context, node: Object) -> Iterator[Answer]:
    name = node["metadata"]["name"]
    tpu = context.variables.tpu
    condition = _condition(node, "Ready")
    describe = one_line(kubectl(context, "describe", "node", name))
    if condition.get("status") != "True":
        reason = condition.get("message") or condition.get("reason") or "no reason given"
        yield failed(f"{name} is not ready: {reason}", describe)
    elif chips_of(node) != tpu.chips:
        yield failed(
            f"{name} is ready and offers {chips_of(node)} chips, not {tpu.chips}",
            f"the device plug-in comes half a minute after the node; later: {describe}",
        )
    for label, wanted in ((ACCELERATOR_LABEL, tpu.accelerator), (TOPOLOGY_LABEL, tpu.topology)):
        found = labels_of(node).get(label)
        if found != wanted:
            yield failed(
                f"{name} has {label}={found}, and the server asks for {wanted}",
                "another machine type than tpu.* says: choose the fitting file of vars/hardware",
            )
    if not is_managed(context):  # Autopilot chooses the taints of its nodes, and the Pods' tolerations
        yield from _taint_problems(context, node)


def _taint_problems(context: Context, node: Object) -> Iterator[Answer]:
    name = node["metadata"]["name"]
    taints: list[dict[str, Any]] = node["spec"].get("taints") or []
    if not of_kubeconfig(context) and not any(taint.get("key") == CHIPS for taint in taints):
        yield warning(
            f"{name} lacks the taint {CHIPS}=present:NoSchedule: other Pods may take its memory",
            one_line(kubectl(context, "taint", "node", name, f"{CHIPS}=present:NoSchedule")),
        )
    if node["spec"].get("unschedulable"):
        uncordon = one_line(kubectl(context, "uncordon", name))
        yield failed(f"{name} is cordoned: no new Pod starts there", uncordon)
    for taint in taints:
        if taint.get("effect") in BLOCKING and taint.get("key") not in {CHIPS, CORDONED}:
            yield failed(
                f"{name} has the taint {taint['key']}:{taint['effect']}, which the server does not tolerate",
                f"{one_line(kubectl(context, 'describe', 'node', name))} tells who set it",
            )


def _condition(node: Object, kind: str) -> dict[str, Any]:
    conditions: list[dict[str, Any]] = node.get("status", {}).get("conditions") or []
    return next((condition for condition in conditions if condition["type"] == kind), {})
