"""The cluster as deploy and bench see it: its client, and its objects, each read once for all steps."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from runbook.clients.kube.access import Access
from runbook.clients.kube.client import KubeClient
from runbook.clients.kube.connection import by_kubeconfig, to_gke
from runbook.clients.kube.kubeconfig import kubeconfig_files
from runbook.clients.kube.objects import Object, Reference
from runbook.engine.change import FactKey
from runbook.steps.context import Context
from runbook.steps.gke import reads

OBJECTS: Final[FactKey] = ("kube", "object")
"""The key above all live objects."""


def client(context: Context) -> KubeClient:
    """Give the client of this environment's cluster; it is made once.

    Raises:
        MissingError: the cluster is not there.
        UnknownUntil: the cluster is only planned.
    """
    connections = context.connections
    if context.variables.provider == "kubeconfig":
        files = kubeconfig_files(context.variables, context.home, context.environment)
        chosen = context.variables.kube.context
        return connections.once("kube", lambda: _client(context, by_kubeconfig(files, chosen)))
    found = reads.access(context)
    return connections.once(
        f"kube {found.endpoint} {hash(found.ca_certificate)}",
        lambda: _client(context, to_gke(found.endpoint, found.ca_certificate, connections.credentials)),
    )


def is_planned(context: Context) -> bool:
    """Tell whether the cluster is yet to be made by an earlier step of a line that only checks."""
    return context.facts.planned_by(reads.access_key(context)) is not None


def is_there(context: Context) -> bool:
    """Tell whether there is a cluster to look into; one that was never made to its end has no address."""
    if context.variables.provider == "kubeconfig":
        return True
    found = None if is_planned(context) else reads.cluster(context)
    return found is not None and "endpoint" in found


def _client(context: Context, access: Access) -> KubeClient:
    return KubeClient(access, context.home / ".runs")


def object_key(reference: Reference) -> FactKey:
    """Name the fact of one live object."""
    return (*OBJECTS, reference.kind, reference.namespace, reference.name)


def live(context: Context, reference: Reference) -> Object | None:
    """Read an object as it is in the cluster; a cluster that is only planned has none.

    Raises:
        MissingError: the cluster is not there.
    """
    if is_planned(context):
        return context.facts.read(object_key(reference), lambda: None)
    return context.facts.read(object_key(reference), lambda: client(context).get(reference))


def kubectl(context: Context, *arguments: str) -> list[str]:
    """Write the kubectl command that does the same, for this environment's cluster.

    Args:
        arguments: what follows `kubectl`.
    """
    variables = context.variables
    files = kubeconfig_files(variables, context.home, context.environment)
    chosen = variables.kube.context if variables.provider == "kubeconfig" else None
    named = [f"--context={chosen}"] if chosen else []
    if len(files) > 1:
        listed = os.pathsep.join(shown(file) for file in files)
        return ["env", f"KUBECONFIG={listed}", "kubectl", *arguments, *named]
    return ["kubectl", *arguments, f"--kubeconfig={shown(files[0])}", *named]


def shown(path: Path) -> str:
    """Write a path as a user in the working folder would."""
    folder = Path.cwd()
    return os.fspath(path.relative_to(folder) if path.is_relative_to(folder) else path)
