"""P17: the host that the cluster's API is behind, hop by hop."""

from __future__ import annotations

from runbook.clients.kube.connection import by_kubeconfig
from runbook.clients.kube.kubeconfig import kubeconfig_files
from runbook.doctor.preflight.check import Answers, ok
from runbook.doctor.preflight.reads import NO_CLUSTER, of_kubeconfig, reachable
from runbook.steps.context import Context
from runbook.steps.gke.reads import access


def way_to_the_api(context: Context) -> Answers:
    """P17: this machine logs in to the bastion, and the bastion connects to the API server."""
    bastion = context.variables.bastion
    if not bastion.host:
        yield ok("none is set: the API is reached from here")
        return
    if not reachable(context):
        context.connections.bastion.run(["true"])
        yield ok(f"{bastion.host} lets us in; {NO_CLUSTER} behind it")
        return
    host, port = _target(context)
    context.connections.bastion.reaches(host, port)
    yield ok(f"{bastion.host} lets us in, and connects to {host}:{port}")


def _target(context: Context) -> tuple[str, int]:
    if of_kubeconfig(context):
        files = kubeconfig_files(context.variables, context.home, context.environment)
        return by_kubeconfig(files, context.variables.kube.context).target
    host, _, port = access(context).endpoint.partition(":")
    return host, int(port or 443)
