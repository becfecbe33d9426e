"""Deployments: one ReplicaSet for each template, rolled from the old ones to the newest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from rehearsal.kube.api.kinds import kind_of
from rehearsal.kube.api.store import Event, Object, Store, clone
from rehearsal.kube.control.control_loop import Controller, Key, key_of, named
from rehearsal.kube.control.deployment_status import DeploymentStatus
from rehearsal.kube.control.events import EventRecorder
from rehearsal.kube.control.owners import controlled, controller_key, controller_reference
from rehearsal.kube.control.pods import has_ended
from rehearsal.kube.control.rollout import replicas, rolling_update
from rehearsal.world import World

HASH_LABEL = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_COPIED_NOT = ("kubectl.kubernetes.io/last-applied-configuration", REVISION, REVISION_HISTORY)


class Deployments(Controller):
    """Creates ReplicaSets and scales them by the strategy."""

    def __init__(self, store: Store, recorder: EventRecorder, world: World) -> None:
        super().__init__(store)
        self._recorder = recorder
        self._status = DeploymentStatus(world)

    def keys(self, event: Event) -> Iterable[Key]:
        """Follow Deployments, their ReplicaSets and, for Recreate, the Pods of those."""
        if event.kind.kind == "ReplicaSet":
            return controller_key(event.object, "Deployment")
        if event.kind.kind == "Pod" and event.type == "DELETED":
            return [key_of(entry) for entry in self._deployments_of(event.object)]
        return named(event, "Deployment")

    def _deployments_of(self, pod: Object) -> list[Object]:
        namespace = pod["metadata"]["namespace"]
        return [
            deployment
            for deployment in self.objects("Deployment", namespace)
            if HASH_LABEL in (pod["metadata"].get("labels") or {})
            and deployment["spec"]["strategy"]["type"] == "Recreate"
        ]

    def reconcile(self, key: Key) -> float | None:
        """Take the next steps of the rollout and tell how it goes."""
        deployment = self.find("Deployment", key)
        if deployment is None:
            return None
        if "deletionTimestamp" not in deployment["metadata"]:
            self._roll(deployment)
            deployment = self.find("Deployment", key) or deployment
        newest, old = self._split(deployment)
        status, delay = self._status.of(deployment, newest, old)
        self.write_status(deployment, status)
        return delay

    def _roll(self, deployment: Object) -> None:
        newest, old = self._split(deployment)
        if deployment["spec"].get("paused"):
            self._scale_paused(deployment, newest, old)
            return
        if deployment["spec"]["strategy"]["type"] == "Recreate":
            self._recreate(deployment, newest, old)
            return
        newest = newest or self._create(deployment, old, 0)
        self._adopt_revision(deployment, newest, old)
        for replica_set, size in rolling_update(deployment, newest, old):
            self._scale(deployment, replica_set, size)
        self._forget_history(deployment, old)

    def _scale_paused(self, deployment: Object, newest: Object | None, old: list[Object]) -> None:
        """Follow a change of replicas on the one ReplicaSet that has Pods."""
        every = [entry for entry in [*old, newest] if entry]
        sized = [entry for entry in every if replicas(entry)] or every[-1:]
        if len(sized) == 1:
            self._scale(deployment, sized[0], replicas(deployment))

    def _recreate(self, deployment: Object, newest: Object | None, old: list[Object]) -> None:
        for replica_set in old:
            self._scale(deployment, replica_set, 0)
        gone = [pod for entry in old for pod in self._pods(entry)]
        if any(not has_ended(pod) for pod in gone):
            return
        newest = newest or self._create(deployment, old, 0)
        self._adopt_revision(deployment, newest, old)
        self._scale(deployment, newest, replicas(deployment))
        self._forget_history(deployment, old)

    def _pods(self, replica_set: Object) -> list[Object]:
        return controlled(self.objects("Pod", replica_set["metadata"]["namespace"]), replica_set)

    def _split(self, deployment: Object) -> tuple[Object | None, list[Object]]:
        """Give the ReplicaSet of the present template, if there is one, and the others, oldest first."""
        every = controlled(self.objects("ReplicaSet", deployment["metadata"]["namespace"]), deployment)
        every.sort(key=lambda entry: (_revision(entry), entry["metadata"]["creationTimestamp"]))
        wanted = deployment["spec"]["template"]
        newest = next((entry for entry in every if _template(entry) == wanted), None)
        return newest, [entry for entry in every if entry is not newest]

    def _create(self, deployment: Object, old: list[Object], size: int) -> Object:
        template = clone(deployment["spec"]["template"])
        digest = template_hash(template, [entry["metadata"]["name"] for entry in old])
        labels = template.setdefault("metadata", {}).setdefault("labels", {})
        labels[HASH_LABEL] = digest
        selector = clone(deployment["spec"]["selector"])
        selector.setdefault("matchLabels", {})[HASH_LABEL] = digest
        spec = {"replicas": size, "selector": selector, "template": template}
        if least := deployment["spec"].get("minReadySeconds"):
            spec["minReadySeconds"] = least
        metadata = {
            "name": f"{deployment['metadata']['name']}-{digest}",
            "namespace": deployment["metadata"]["namespace"],
            "labels": dict(labels),
            "annotations": _annotations(deployment) | {REVISION: str(_next_revision(old))},
            "ownerReferences": [controller_reference(deployment)],
        }
        return self.store.create(kind_of("ReplicaSet"), {"metadata": metadata, "spec": spec})

    def _adopt_revision(self, deployment: Object, newest: Object, old: list[Object]) -> None:
        """Number the newest ReplicaSet above all others, and the Deployment like it.

        Whatever annotations the Deployment has, the newest ReplicaSet gets.
        """
        before = newest["metadata"].get("annotations") or {}
        annotations = before | _annotations(deployment)
        if old and _revision(newest) < _next_revision(old):
            earlier = [annotations[name] for name in (REVISION_HISTORY, REVISION) if annotations.get(name)]
            annotations |= {REVISION: str(_next_revision(old)), REVISION_HISTORY: ",".join(earlier)}
        if annotations != before:
            newest["metadata"]["annotations"] = annotations
            newest |= self.store.update(kind_of("ReplicaSet"), newest)
        number = newest["metadata"]["annotations"][REVISION]
        annotations = deployment["metadata"].setdefault("annotations", {})
        if annotations.get(REVISION) != number:
            annotations[REVISION] = number
            deployment |= self.store.update(kind_of("Deployment"), deployment)

    def _scale(self, deployment: Object, replica_set: Object, size: int) -> None:
        before = replicas(replica_set)
        if before == size:
            return
        replica_set["spec"]["replicas"] = size
        replica_set |= self.store.update(kind_of("ReplicaSet"), replica_set)
        direction = "up" if size > before else "down"
        name = replica_set["metadata"]["name"]
        self._recorder.normal(
            deployment, "ScalingReplicaSet", f"Scaled {direction} replica set {name} from {before} to {size}"
        )

    def _forget_history(self, deployment: Object, old: list[Object]) -> None:
        kept = deployment["spec"].get("revisionHistoryLimit", 10)
        idle = [
            entry for entry in old if not replicas(entry) and not (entry.get("status") or {}).get("replicas")
        ]
        for entry in idle[: max(len(idle) - kept, 0)]:
            self.store.delete(kind_of("ReplicaSet"), *key_of(entry))


def template_hash(template: Object, taken: Iterable[str] = ()) -> str:
    """Name a Pod template by its content, in ten harmless letters.

    Args:
        taken: names that must not be made again; what is hashed is varied until it gives another.
    """
    for collision in range(len(list(taken)) + 1):
        text = json.dumps(template, sort_keys=True) + (str(collision) if collision else "")
        number = int.from_bytes(hashlib.sha256(text.encode()).digest())
        digest = "".join(_ALPHABET[number // len(_ALPHABET) ** place % len(_ALPHABET)] for place in range(10))
        if not any(name.endswith(digest) for name in taken):
            break
    return digest


def _template(replica_set: Object) -> Object:
    template: Object = clone(replica_set["spec"]["template"])
    template["metadata"]["labels"].pop(HASH_LABEL, None)
    return template


def _annotations(deployment: Object) -> dict[str, str]:
    annotations = deployment["metadata"].get("annotations") or {}
    return {key: value for key, value in annotations.items() if key not in _COPIED_NOT}


def _revision(replica_set: Object) -> int:
    return int((replica_set["metadata"].get("annotations") or {}).get(REVISION, 0))


def _next_revision(old: list[Object]) -> int:
    return 1 + max((_revision(entry) for entry in old), default=0)
