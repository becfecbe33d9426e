"""ReplicaSets: as many Pods as asked for."""

from __future__ import annotations

from collections.abc import Iterable

from rehearsal.kube.api.kinds import kind_of
from rehearsal.kube.api.status import ApiError
from rehearsal.kube.api.store import Event, Object, Store
from rehearsal.kube.control.conditions import with_condition, without_condition
from rehearsal.kube.control.control_loop import Controller, Key, named
from rehearsal.kube.control.owners import controlled, controller_key, controller_of, controller_reference
from rehearsal.kube.control.pod_creation import PodsFromTemplates
from rehearsal.kube.control.pods import is_active, is_ready, phase, ready_seconds
from rehearsal.kube.control.selectors import contains, label_selector_matches

_RETRY_SECONDS = 5.0


class ReplicaSets(Controller):
    """Creates missing Pods and deletes those that are too many."""

    def __init__(self, store: Store, pods: PodsFromTemplates) -> None:
        super().__init__(store)
        self._pods = pods

    def keys(self, event: Event) -> Iterable[Key]:
        """Follow ReplicaSets, and Pods to their ReplicaSet."""
        if event.kind.kind == "Pod":
            return controller_key(event.object, "ReplicaSet")
        return named(event, "ReplicaSet")

    def reconcile(self, key: Key) -> float | None:
        """Make the number of Pods what it should be, and count them in the status."""
        replica_set = self.find("ReplicaSet", key)
        if replica_set is None:
            return None
        refusal = "" if "deletionTimestamp" in replica_set["metadata"] else self._scale(replica_set)
        return self._count(replica_set, refusal)

    def _scale(self, replica_set: Object) -> str:
        """Create or delete Pods; return why a Pod was refused, if one was."""
        active = self._active(replica_set)
        missing = replica_set["spec"].get("replicas", 1) - len(active)
        for pod in sorted(active, key=_first_to_go)[: max(-missing, 0)]:
            self._pods.delete(replica_set, pod)
        try:
            for _ in range(missing):
                self._pods.create(replica_set)
        except ApiError as refusal:
            return str(refusal)
        return ""

    def _active(self, replica_set: Object) -> list[Object]:
        pods = [pod for pod in self.objects("Pod", replica_set["metadata"]["namespace"]) if is_active(pod)]
        return controlled([self._adopted(pod, replica_set) for pod in pods], replica_set)

    def _adopted(self, pod: Object, replica_set: Object) -> Object:
        """Take over a Pod that the selector selects and nobody controls."""
        labels = pod["metadata"].get("labels") or {}
        if controller_of(pod) or not label_selector_matches(replica_set["spec"]["selector"], labels):
            return pod
        pod["metadata"].setdefault("ownerReferences", []).append(controller_reference(replica_set))
        return self.store.update(kind_of("Pod"), pod)

    def _count(self, replica_set: Object, refusal: str) -> float | None:
        active = self._active(replica_set)
        ready = [pod for pod in active if is_ready(pod)]
        labels = replica_set["spec"]["template"].get("metadata", {}).get("labels")
        least = replica_set["spec"].get("minReadySeconds", 0)
        conditions = (replica_set.get("status") or {}).get("conditions")
        status = {
            "replicas": len(active),
            "fullyLabeledReplicas": len(
                [pod for pod in active if contains(pod["metadata"].get("labels") or {}, labels)]
            ),
            "readyReplicas": len(ready),
            "availableReplicas": len([pod for pod in ready if ready_seconds(pod) >= least]),
            "observedGeneration": replica_set["metadata"]["generation"],
            "conditions": _with_refusal(conditions, refusal),
        }
        self.write_status(
            replica_set, {name: value for name, value in status.items() if _is_told(name, value)}
        )
        if refusal:
            return _RETRY_SECONDS
        waits = [least - ready_seconds(pod) for pod in ready if ready_seconds(pod) < least]
        return min(waits, default=None)


def _first_to_go(pod: Object) -> tuple[bool, bool, bool, float]:
    """Order Pods as ReplicaSets give them up: not yet placed, not running, not ready, youngest."""
    return (bool(pod["spec"].get("nodeName")), phase(pod) == "Running", is_ready(pod), ready_seconds(pod))


def _with_refusal(conditions: list[Object] | None, refusal: str) -> list[Object]:
    if not refusal:
        return without_condition(conditions, "ReplicaFailure")
    return with_condition(conditions, "ReplicaFailure", True, "FailedCreate", refusal)


def _is_told(name: str, value: object) -> bool:
    """Tell whether a status field is written: the API omits zeros and empty lists but `replicas`."""
    return bool(value) or name == "replicas"
