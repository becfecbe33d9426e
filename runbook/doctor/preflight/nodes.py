"""P11 to P13: the TPU nodes, the daemons on them, and their free chips."""

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
    labels_of,
    listed,
    of_kubeconfig,
    reachable,
    tpu_nodes,
)
from runbook.steps.context import Context
from runbook.steps.gke.reads import cluster, is_autopilot

SYSTEM = "kube-system"
CORDONED = "node.kubernetes.io/unschedulable"
BLOCKING = frozenset({"NoSchedule", "NoExecute"})
ENDED = frozenset({"Succeeded", "Failed"})
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
    yield _daemon(known, "gke-metadata-server", identity, "2.3.1")
    yield _daemon(known, "gcsfusecsi-node", driver, "2.3.4")


def ready(context: Context) -> Answers:
    """P12: each TPU node is Ready, offers its chips, and has the labels and the taint that Pods expect."""
    if not reachable(context) or not has_pool(context):
        yield ok(_no_nodes(context))
        return
    found = tpu_nodes(context)
    if not found:
        yield _without_nodes(context)
        return
    problems = [problem for node in found for problem in _problems(context, node)]
    if problems:
        yield from problems
        return
    chips = context.variables.tpu.chips
    yield ok(f"{len(found)} ready with {chips} chips, labels and taint as expected")


def free_chips(context: Context) -> Answers:
    """P13: the server's Pods have the chips that they ask for, or can get them."""
    if not reachable(context) or not has_pool(context):
        yield ok(_no_nodes(context))
        return
    nodes = tpu_nodes(context)
    if not nodes:
        yield ok("there are no TPU nodes")
        return
    offered = sum(chips_of(node) for node in nodes)
    names = {node["metadata"]["name"] for node in nodes}
    ours, others = _held(context, names)
    needed = context.variables.server.replicas * context.variables.tpu.chips
    free = offered - sum(ours.values()) - sum(others.values())
    if free + sum(ours.values()) < needed:
        who = ", ".join(f"{pod} ({chips})" for pod, chips in others.items()) or "nobody"
        yield failed(
            f"the server needs {needed} of {offered} chips, {free} are free; others hold: {who}",
            "delete what holds them, or raise node_pool.nodes, or lower server.replicas",
        )
        return
    yield ok(f"{free} of {offered} chips are free, the server holds {sum(ours.values())}, it needs {needed}")


def _no_nodes(context: Context) -> str:
    found = cluster(context) if not of_kubeconfig(context) else None
    if found is not None and is_autopilot(found):
        return "Autopilot makes TPU nodes when a Pod asks for them"
    return NO_NODES


def _without_nodes(context: Context) -> Answer:
    pool = context.variables.node_pool
    if pool.capacity == "flex-start":
        return ok(f"node pool {pool.name} has no node now: flex-start makes them when a Pod asks")
    return failed(
        f"node pool {pool.name} has no node in the cluster",
        "look at its conditions: gcloud container node-pools describe " + pool.name,
    )


def _daemon(known: Mapping[str, Object], name: str, wanted: bool, section: str) -> Answer:
    if not wanted:
        return ok(f"is off: {section} switches it on", about=name)
    status = known[name].get("status", {}) if name in known else {}
    desired, there = status.get("desiredNumberScheduled", 0), status.get("numberReady", 0)
    if not desired:
        return warning("runs on no node yet", "it comes within minutes of being switched on", about=name)
    if there < desired:
        look = f"kubectl --namespace={SYSTEM} get pods --selector=k8s-app={name} --output=wide"
        return failed(f"is ready on {there} of {desired} nodes: Pods there do not start", look, about=name)
    return ok(f"is ready on all {desired} node(s)", about=name)


def _problems(context: Context, node: Object) -> Iterator[Answer]:
    name = node["metadata"]["name"]
    tpu = context.variables.tpu
    condition = _condition(node, "Ready")
    describe = f"kubectl describe node {name}"
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
    yield from _taint_problems(node, of_kubeconfig(context))


def _taint_problems(node: Object, bare: bool) -> Iterator[Answer]:
    name = node["metadata"]["name"]
    taints: list[dict[str, Any]] = node["spec"].get("taints") or []
    if not bare and not any(taint.get("key") == CHIPS for taint in taints):
        yield warning(
            f"{name} lacks the taint {CHIPS}=present:NoSchedule: other Pods may take its memory",
            f"kubectl taint node {name} {CHIPS}=present:NoSchedule",
        )
    if node["spec"].get("unschedulable"):
        yield failed(f"{name} is cordoned: no new Pod starts there", f"kubectl uncordon {name}")
    for taint in taints:
        if taint.get("effect") in BLOCKING and taint.get("key") not in {CHIPS, CORDONED}:
            yield failed(
                f"{name} has the taint {taint['key']}:{taint['effect']}, which the server does not tolerate",
                f"kubectl describe node {name} tells who set it",
            )


def _condition(node: Object, kind: str) -> dict[str, Any]:
    conditions: list[dict[str, Any]] = node.get("status", {}).get("conditions") or []
    return next((condition for condition in conditions if condition["type"] == kind), {})


def _held(context: Context, names: set[str]) -> tuple[dict[str, int], dict[str, int]]:
    """Count the chips that Pods on these nodes ask for: the server's own, and the others', by Pod."""
    ours: dict[str, int] = {}
    others: dict[str, int] = {}
    variables = context.variables
    for pod in listed(context, "v1", "Pod"):
        chips = _asked(pod)
        if not chips or pod["spec"].get("nodeName") not in names or _has_ended(pod):
            continue
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        is_ours = namespace == variables.kube.namespace and labels_of(pod).get("app") == variables.server.name
        (ours if is_ours else others)[f"{namespace}/{name}"] = chips
    return ours, others


def _has_ended(pod: Object) -> bool:
    return pod.get("status", {}).get("phase") in ENDED


def _asked(pod: Object) -> int:
    containers = pod["spec"].get("containers", [])
    return sum(
        int(container.get("resources", {}).get("requests", {}).get(CHIPS, "0")) for container in containers
    )
