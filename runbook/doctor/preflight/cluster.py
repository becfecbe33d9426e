"""P4 and P5: the cluster is where it is looked for, answers, and is new enough."""

from __future__ import annotations

from collections.abc import Iterator

from runbook.doctor.preflight.check import Answer, Answers, failed, ok, warning
from runbook.doctor.preflight.reads import NO_CLUSTER, nodes, of_kubeconfig
from runbook.steps.context import Context
from runbook.steps.gke.reads import Cluster, cluster, cluster_flags, elsewhere, location, node_pool
from runbook.steps.gke.versions import is_older, machine_minimum, mount_minimums, numbers

GOES_ON = {"PROVISIONING", "RECONCILING", "STOPPING"}
SIDECAR_CHECKS = "1.34.1-gke.3899001"
SIDECAR_MENDED = {
    (1, 34): "1.34.8-gke.1218000",
    (1, 35): "1.35.3-gke.2347000",
    (1, 36): "1.36.0-gke.1266000",
}
"""From where on the mount's sidecar asks the metadata server itself, and, by minor version, where it first
tries again when that is slow (Cloud Storage FUSE CSI driver, known issues)."""


def at_its_location(context: Context) -> Answers:
    """P4: the cluster is there, or nowhere; its Kubernetes API answers."""
    if of_kubeconfig(context):
        yield ok(f"the kubeconfig's cluster answers, {len(nodes(context))} node(s)")
        return
    found = cluster(context)
    if found is None:
        yield from _elsewhere(context)
        return
    said = "; ".join(condition.get("message", "") for condition in found.get("conditions", []))
    fact = f"{found['name']} in {location(context)} is {found.get('status')}"
    match found.get("status"):
        case "ERROR":
            yield failed(
                f"{fact}: {said or 'no reason given'}", "`inv step 6.3` deletes it, `inv step 2.2` makes it"
            )
        case "DEGRADED":
            yield warning(
                f"{fact}: {said or 'no reason given'}", "look at it in the console before you go on"
            )
        case status if status in GOES_ON:
            yield ok(f"{fact}: a run waits for that")
        case _:
            yield ok(f"{fact} and answers, {len(nodes(context))} node(s)")


def new_enough(context: Context) -> Answers:
    """P5: version of control plane and TPU nodes, for the machine type and for what the mount uses."""
    if of_kubeconfig(context):
        yield ok("the cluster is used as it is: nobody knows its GKE version")
        return
    found = cluster(context)
    if found is None:
        yield ok(f"{NO_CLUSTER}: 2.2 makes it with a version of the channel {_channel(context)}")
        return
    problems = [*_control_plane(context, found), *_nodes(context, found), *_sidecar(context, found)]
    if problems:
        yield from problems
        return
    yield ok(f"{found.get('currentMasterVersion')}: TPU machines and all that the mount uses are known to it")


def _elsewhere(context: Context) -> Answers:
    """Look for a cluster of the name in all locations; a run would make a second one."""
    name, there = context.variables.cluster.name, elsewhere(context)
    if there is None:
        yield ok(f"{NO_CLUSTER} of the name {name}: 2.2 makes it")
        return
    yield failed(
        f"{name} is in {there}, not in {location(context)}: a run would make a second one",
        f"set cluster.location{_region_too(context, there)} to {there}, or cluster.name to another name",
    )


def _region_too(context: Context, there: str) -> str:
    return "" if there.startswith(context.variables.region) else " (and region, zone)"


def _control_plane(context: Context, found: Cluster) -> Iterator[Answer]:
    tpu = context.variables.tpu
    for used, minimum in [(tpu.machine_type, machine_minimum(context, found)), *mount_minimums(context)]:
        if is_older(found, minimum):
            yield failed(
                f"the control plane has {found['currentMasterVersion']}, and {used} needs {minimum}",
                _upgrade(context, minimum, "--master"),
            )


def _nodes(context: Context, found: Cluster) -> Iterator[Answer]:
    pool = node_pool(context, found)
    version = (pool or {}).get("version", "")
    for used, minimum in mount_minimums(context):
        if pool and version and numbers(version) < numbers(minimum):
            yield failed(
                f"node pool {pool['name']} has {version}, and {used} needs {minimum}",
                _upgrade(context, minimum, f"--node-pool={pool['name']}"),
            )


def _sidecar(context: Context, found: Cluster) -> Iterator[Answer]:
    version = str(
        (node_pool(context, found) or found).get("version") or found.get("currentMasterVersion", "")
    )
    has = numbers(version)
    mended = SIDECAR_MENDED.get((has[0], has[1])) if len(has) > 1 else None
    if mended and numbers(SIDECAR_CHECKS) <= has < numbers(mended):
        yield warning(
            f"{version}: the mount's sidecar gives up when the metadata server is slow"
            " ('Failed to set up metadata service')",
            f"{mended} tries again: {_upgrade(context, mended, '--master')}, then the node pool",
        )


def _upgrade(context: Context, version: str, *which: str) -> str:
    upgrade = ("gcloud", "container", "clusters", "upgrade", context.variables.cluster.name, *which)
    return " ".join([*upgrade, f"--cluster-version={version}", *cluster_flags(context)])


def _channel(context: Context) -> str:
    return context.variables.cluster.release_channel
