"""The model server for the steps that ask it something: whether it answers, and where."""

from __future__ import annotations

from runbook.clients.kube.objects import Object, Reference
from runbook.engine.change import FactKey
from runbook.engine.errors import MissingError
from runbook.steps.context import Context
from runbook.steps.gke import reads
from runbook.steps.kube import rollout
from runbook.steps.kube.cluster import client, live


def answering_key(context: Context) -> FactKey:
    """Name the fact that the server answers; 4.3 plans it as unknown whenever it would change anything."""
    variables = context.variables
    return ("kube", "answering", variables.kube.namespace, variables.server.service)


def deployment(context: Context) -> Reference:
    """Name the server's Deployment."""
    variables = context.variables
    return Reference("apps/v1", "Deployment", variables.kube.namespace, variables.server.name)


def require_deployment(context: Context) -> Object:
    """Read the server's Deployment, which must be there or be planned.

    Raises:
        MissingError: it is not.
    """
    if context.variables.provider != "kubeconfig":
        reads.require_cluster(context)
    found = live(context, deployment(context))
    if found is None:
        raise MissingError(f"{deployment(context)} is not there", supplied_by="kube.apply")
    return found


def require_answering(context: Context) -> None:
    """Make sure that a Pod of the server is ready.

    Raises:
        MissingError: the server is not there, or not ready.
        UnknownUntil: an earlier step of a line that only checks would change it.
    """
    context.facts.read(answering_key(context), lambda: _answering(context))


def address(context: Context) -> str:
    """Give the server's base URL on this machine; the first step that asks opens the port-forward.

    Raises:
        ConflictError: there is no free port to listen on.
    """
    variables = context.variables
    key: FactKey = ("forward", variables.kube.namespace, variables.server.service)
    return context.facts.read(key, lambda: _forwarded(context))


def local_port(context: Context) -> int:
    """Name the port of this machine for commands that people type, who need one that they know."""
    return context.variables.smoke.local_port or context.variables.server.port


def local_address(context: Context) -> str:
    """Give the server's base URL on this machine for commands that people type."""
    return f"http://127.0.0.1:{local_port(context)}"


def _forwarded(context: Context) -> str:
    from runbook.clients.kube.forward import forward  # aiohttp takes long to import

    variables = context.variables
    wanted = variables.smoke.local_port
    opened = context.keep(
        forward(
            client(context),
            variables.kube.namespace,
            variables.server.service,
            variables.server.port,
            wanted,
            context.report.warning,
        )
    )
    if wanted not in {0, opened.port}:
        context.report.warning(f"port {wanted} is taken: listening on {opened.port}")
    base: str = opened.address
    return base


def _answering(context: Context) -> bool:
    found = require_deployment(context)
    if not rollout.available(found):
        raise MissingError(f"{deployment(context)} has no Pod that is ready", supplied_by="kube.apply")
    return True
