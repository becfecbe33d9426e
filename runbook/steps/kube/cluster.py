"""The cluster as deploy and bench see it: its client, and its objects, each read once for all steps."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from runbook.clients.kube.access import Access
from runbook.clients.kube.client import KubeClient
from runbook.clients.kube.connection import by_kubeconfig, to_gke
from runbook.clients.kube.exec_plugin import Waiting
from runbook.clients.kube.kubeconfig import kubeconfig_files
from runbook.clients.kube.kubeconfig_context import choose
from runbook.clients.kube.objects import Object, Reference
from runbook.clients.ssh_forward import by_hand
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
        waiting = Waiting(context.report.condition, context.pause)
        return connections.once("kube", lambda: _client(context, by_kubeconfig(files, chosen, waiting)))
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
    bastion = context.variables.bastion
    if bastion.host:
        access = access.through(context.connections.tunnel(*access.target, access.knock))
        typed = by_hand(bastion, bastion.local_port, *access.target)
        context.report.output(
            f"the cluster's API is reached over SSH, for commands typed by hand:\n$ {shlex.join(typed)}"
        )
    return KubeClient(access, context.home / ".runs")


def behind_bastion(context: Context, server: str, server_name: str | None) -> tuple[str, str | None]:
    """Give the address and the certificate's name that commands typed by hand use.

    Args:
        server: the API server's own address.
        server_name: what its certificate must be for; None: the address.
    """
    bastion = context.variables.bastion
    if not bastion.host:
        return server, server_name
    parts = urlsplit(server)
    address = parts._replace(netloc=f"127.0.0.1:{bastion.local_port}").geturl()
    return address, server_name or parts.hostname


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
    named += _forwarded(context, files)
    if len(files) > 1:
        listed = os.pathsep.join(shown(file) for file in files)
        return ["env", f"KUBECONFIG={listed}", "kubectl", *arguments, *named]
    return ["kubectl", *arguments, f"--kubeconfig={shown(files[0])}", *named]


def _forwarded(context: Context, files: Sequence[Path]) -> list[str]:
    """Lead kubectl to the bastion's port where the kubeconfig, which is only read, does not."""
    variables = context.variables
    if not variables.bastion.host or variables.provider != "kubeconfig":
        return []
    cluster = choose(files, variables.kube.context).cluster.content
    address, name = behind_bastion(context, str(cluster.get("server")), cluster.get("tls-server-name"))
    return [f"--server={address}", f"--tls-server-name={name}"]


def shown(path: Path) -> str:
    """Write a path as a user in the working folder would."""
    folder = Path.cwd()
    return os.fspath(path.relative_to(folder) if path.is_relative_to(folder) else path)
