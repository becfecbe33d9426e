"""Everything that the diagnosis reads, at one moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from runbook.clients.kube.client import KubeClient
from runbook.clients.kube.kubeconfig import kubeconfig_files, read
from runbook.clients.kube.kubeconfig_context import Item, choose
from runbook.clients.kube.objects import Object, Reference
from runbook.config.schema import Variables
from runbook.doctor.diagnosis.pods import SIDECAR, is_troubled, of_environment
from runbook.engine.errors import PassingError, RunbookError
from runbook.engine.journal import read_runs
from runbook.steps.context import Context
from runbook.steps.gke import reads
from runbook.steps.kube.cluster import client

_LOG_LINES: Final = 500
_PODS_HEARD: Final = 8
"""Replicas say the same; those in trouble are heard first."""


@dataclass(frozen=True)
class Log:
    """The end of one container's log.

    Args:
        pod: whose it is.
        container: its name.
        previous: of the run before its last restart.
    """

    pod: Object
    container: str
    previous: bool
    text: str


@dataclass
class Snapshot:
    """What was read; what could not be read stays empty, and its refusal is kept.

    Args:
        cluster: as the GKE API answers it; None where there is none, or where the provider is a kubeconfig.
        operations: of the cluster's location.
        pods: of all namespaces, as others may hold the chips; of the environment's alone where the login may
            not list more.
        nodes_known: whether the nodes could be read.
        events: of the environment's namespace.
        last_run: the newest run of this environment in the history; None where it told nothing.
        kubectl_user: whom kubectl logs in as; None where the kubeconfig does not say, as before 4.1.
    """

    variables: Variables
    cluster: Mapping[str, Any] | None = None
    operations: list[Mapping[str, Any]] = field(default_factory=list)
    deployment: Object | None = None
    pods: list[Object] = field(default_factory=list)
    nodes: list[Object] = field(default_factory=list)
    nodes_known: bool = True
    events: list[Object] = field(default_factory=list)
    logs: list[Log] = field(default_factory=list)
    refusals: list[RunbookError] = field(default_factory=list)
    last_run: Mapping[str, Any] | None = None
    kubectl_user: Item | None = None

    @property
    def node_pool(self) -> Mapping[str, Any] | None:
        """The TPU node pool, where the cluster has one of that name."""
        pools: list[Mapping[str, Any]] = (self.cluster or {}).get("nodePools", [])
        return next((pool for pool in pools if pool["name"] == self.variables.node_pool.name), None)

    @property
    def own_pods(self) -> list[Object]:
        """The Pods of the server and of the last benchmark."""
        return of_environment(self.pods, self.variables)

    @property
    def troubled_pods(self) -> list[Object]:
        """Those of them that have neither ended well nor take requests."""
        return [pod for pod in self.own_pods if is_troubled(pod)]


def take(context: Context) -> Snapshot:
    """Read everything; nothing is changed, and no refusal ends it."""
    variables = context.variables
    seen = Snapshot(variables)
    with _noted(seen):
        seen.kubectl_user = _kubectl_user(context)
    seen.last_run = _last_run(context)
    if variables.provider == "kubeconfig":
        with _noted(seen):
            _read_kubernetes(client(context), seen)
        return seen
    with _noted(seen):
        seen.cluster = reads.cluster(context)
    with _noted(seen):
        seen.operations = list(context.connections.gke.operations(variables.project, reads.location(context)))
    if seen.cluster and seen.cluster.get("endpoint"):
        with _noted(seen):
            _read_kubernetes(client(context), seen)
    return seen


@contextmanager
def _noted(seen: Snapshot) -> Iterator[None]:
    """Keep a refusal as evidence, and go on."""
    try:
        yield
    except RunbookError as error:
        seen.refusals.append(error)


def _kubectl_user(context: Context) -> Item | None:
    variables = context.variables
    files = kubeconfig_files(variables, context.home, context.environment)
    if variables.provider == "kubeconfig":
        return choose(files, variables.kube.context).user
    return choose(files, None).user if read(files[0]).get("current-context") else None


def _last_run(context: Context) -> Mapping[str, Any] | None:
    """Find the newest run of this environment; one that still runs, or was killed, has told nothing."""
    runs = (run for run in read_runs(context.home / ".runs") if run["environment"] == context.environment)
    newest = next((run for run in runs if not run["check"]), {})
    return newest if "outcomes" in newest else None


def _read_kubernetes(kube: KubeClient, seen: Snapshot) -> None:
    """Read what the login may read.

    Raises:
        PassingError: nobody answers, so nothing more is asked.
    """
    variables = seen.variables
    namespace = variables.kube.namespace
    _read_pods(kube, seen)
    seen.nodes_known = False
    with _noted(seen):
        seen.nodes = kube.list("v1", "Node", "")
        seen.nodes_known = True
    with _noted(seen):
        seen.events = kube.list("v1", "Event", namespace)
    with _noted(seen):
        seen.deployment = kube.get(Reference("apps/v1", "Deployment", namespace, variables.server.name))
    for pod in sorted(seen.own_pods, key=is_troubled, reverse=True)[:_PODS_HEARD]:
        seen.logs.extend(_logs(kube, pod, seen))


def _read_pods(kube: KubeClient, seen: Snapshot) -> None:
    try:
        seen.pods = kube.list("v1", "Pod", "")
    except PassingError:
        raise
    except RunbookError as error:
        seen.refusals.append(error)
        with _noted(seen):
            seen.pods = kube.list("v1", "Pod", seen.variables.kube.namespace)


def _logs(kube: KubeClient, pod: Object, seen: Snapshot) -> Iterator[Log]:
    """Read what a Pod's containers say; of those in trouble also what they said before the last restart."""
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    troubled = is_troubled(pod)
    for status in _speaking(pod):
        container = status["name"]
        for previous in (False, True) if troubled and status.get("restartCount") else (False,):
            text = ""
            with _noted(seen):
                text = kube.logs(namespace, name, container, previous=previous, tail=_LOG_LINES)
            if text:
                yield Log(pod, container, previous, text)


def _speaking(pod: Object) -> Iterator[Object]:
    status = pod.get("status", {})
    for container in status.get("initContainerStatuses", ()):
        if container["name"] == SIDECAR and is_troubled(pod):
            yield container
    yield from status.get("containerStatuses", ())
