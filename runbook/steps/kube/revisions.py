"""The revisions of a Deployment, as its ReplicaSets keep them: which serve, and which one leads back.

Kubernetes does not keep whether a revision that has no Pods any more was ever ready. So each rollout that
went well leaves a mark on its ReplicaSet: the annotation `runbook/ready-HASH`, with the run that saw it. The
hash is the ReplicaSet's own: `kubectl rollout undo` copies annotations to the Deployment, whose controller
copies them to each later ReplicaSet, and such a mark says nothing of these.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Final

from runbook.clients.kube.client import KubeClient
from runbook.clients.kube.objects import Object, Reference
from runbook.clients.kube.service import is_ready
from runbook.engine.errors import CredentialsError, FailedError, RunbookError
from runbook.steps.context import Context
from runbook.steps.kube.cluster import client

HASH: Final = "pod-template-hash"
_REVISION: Final = "deployment.kubernetes.io/revision"
_HISTORY: Final = "deployment.kubernetes.io/revision-history"


@dataclass(frozen=True)
class Revision:
    """One template that a Deployment has had.

    Args:
        number: as `kubectl rollout history` counts; a revision that comes back gets a new one.
        earlier: the numbers that it had before.
        name: of its ReplicaSet.
        template: its Pod template, as the Deployment had it.
        was_ready: a rollout of it went well, or it has Pods that are ready.
    """

    number: int
    earlier: tuple[int, ...]
    name: str
    template: Object
    was_ready: bool

    @property
    def hash(self) -> str:
        """The label value that its Pods carry."""
        return _hash(self.name)

    @property
    def image(self) -> str:
        """The image of its first container."""
        return str(self.template["spec"]["containers"][0]["image"])


def ready_mark(replica_set: str) -> str:
    """Name the annotation that says of a ReplicaSet, and of no other, that its Pods were ready."""
    return f"runbook/ready-{_hash(replica_set)}"


def read_revisions(kube: KubeClient, deployment: Object) -> list[Revision]:
    """List the revisions of a Deployment, oldest first."""
    metadata = deployment["metadata"]
    labels = deployment["spec"]["selector"]["matchLabels"]
    found = kube.list("apps/v1", "ReplicaSet", metadata["namespace"], labels=labels)
    owned = [item for item in found if _is_owned(item, metadata["uid"])]
    return sorted(map(_revision, owned), key=lambda revision: revision.number)


def current(deployment: Object, revisions: Sequence[Revision]) -> Revision | None:
    """Find the revision of the Deployment's template; None where its ReplicaSet is not made yet."""
    wanted = deployment["spec"]["template"]
    return next((item for item in revisions if item.template == wanted), None)


def last_ready(deployment: Object, revisions: Sequence[Revision]) -> Revision | None:
    """Find the newest revision, beside the present one, that was ever ready."""
    now = current(deployment, revisions)
    others = [item for item in revisions if item is not now and item.was_ready]
    return others[-1] if others else None


def mark_ready(context: Context, reference: Reference) -> None:
    """Leave the mark of a rollout that went well, for a rollback to find; one of no Pods shows nothing."""
    kube = client(context)
    deployment = kube.get(reference)
    if deployment is None or not deployment.get("status", {}).get("availableReplicas"):
        return
    now = current(deployment, read_revisions(kube, deployment))
    if now is None:
        return
    replica_set = Reference("apps/v1", "ReplicaSet", reference.namespace, now.name)
    found = kube.get(replica_set)
    mark = ready_mark(now.name)
    if found is None or mark in (found["metadata"].get("annotations") or {}):
        return
    patch = {"metadata": {"annotations": {mark: context.run_id}}}
    try:
        kube.merge_patch(replica_set, patch, field_manager=context.variables.kube.field_manager)
    except CredentialsError as error:
        context.report.warning(f"`inv rollback` will not know that this revision was ready: {error.message}")


def with_way_back(context: Context, reference: Reference, error: FailedError) -> FailedError:
    """Add to a failed rollout's error what serves now, and how to go back.

    Args:
        reference: the Deployment.
        error: why the rollout failed.
    """
    kube = client(context)
    try:
        deployment = kube.get(reference)
        if deployment is None:
            return error
        revisions = read_revisions(kube, deployment)
        serving = _serving(kube, deployment, revisions)
    except RunbookError as trouble:
        serving = f"what serves now cannot be read: {trouble.message}"
        return FailedError(f"{error.message}\n{serving}", place=error.place, remedy=error.remedy)
    back = last_ready(deployment, revisions)
    remedy = error.remedy
    if back is not None:
        way = f"`inv rollback` goes back to revision {back.number} ({back.image})"
        remedy = f"{remedy}; {way}" if remedy else f"mend it and run `inv deploy`; {way}"
    return FailedError(f"{error.message}\n{serving}", place=error.place, remedy=remedy)


def _serving(kube: KubeClient, deployment: Object, revisions: Sequence[Revision]) -> str:
    """Say which Pods of which revision still answer."""
    labels = deployment["spec"]["selector"]["matchLabels"]
    pods: dict[str, list[str]] = defaultdict(list)
    for pod in kube.list("v1", "Pod", deployment["metadata"]["namespace"], labels=labels):
        if is_ready(pod):
            pods[pod["metadata"]["labels"].get(HASH, "")].append(pod["metadata"]["name"])
    lines = [
        f"serving now: revision {item.number}, Pod {', '.join(pods[item.hash])}, image {item.image}"
        for item in revisions
        if pods[item.hash]
    ]
    return "\n".join(lines) or "serving now: nothing, no Pod of the server is ready"


def _is_owned(replica_set: Object, uid: str) -> bool:
    owners = replica_set["metadata"].get("ownerReferences", ())
    return any(owner.get("controller") and owner["uid"] == uid for owner in owners)


def _revision(replica_set: Object) -> Revision:
    annotations, name = replica_set["metadata"].get("annotations") or {}, replica_set["metadata"]["name"]
    template = deepcopy(replica_set["spec"]["template"])
    template["metadata"].get("labels", {}).pop(HASH, None)
    return Revision(
        number=int(annotations.get(_REVISION, 0)),
        earlier=tuple(int(number) for number in annotations.get(_HISTORY, "").split(",") if number),
        name=name,
        template=template,
        was_ready=ready_mark(name) in annotations or bool(replica_set.get("status", {}).get("readyReplicas")),
    )


def _hash(replica_set: str) -> str:
    return replica_set.rpartition("-")[2]
