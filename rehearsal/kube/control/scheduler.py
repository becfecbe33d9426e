"""The scheduler: gives each Pod a node, or says why none will do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from rehearsal.kube.api.kinds import kind_of
from rehearsal.kube.api.store import Event, Object, Store
from rehearsal.kube.control.conditions import condition, with_condition
from rehearsal.kube.control.control_loop import Controller, Key, key_of
from rehearsal.kube.control.events import EventRecorder
from rehearsal.kube.control.pods import claim_names, is_terminating
from rehearsal.kube.control.scheduling import NO_VICTIMS, NOT_HELPFUL, may_fit_an_empty_node, rejections

_EVERY_PENDING_POD: Key = ("", "")
_RELEVANT = ("Pod", "Node", "PersistentVolumeClaim", "PersistentVolume")


class Scheduler(Controller):
    """Tries all Pods that wait for a node, oldest first, whenever anything changes that may make room."""

    def __init__(self, store: Store, recorder: EventRecorder) -> None:
        super().__init__(store)
        self._recorder = recorder

    def keys(self, event: Event) -> Iterable[Key]:
        """Follow Pods, Nodes and volumes."""
        return [_EVERY_PENDING_POD] if event.kind.kind in _RELEVANT else []

    def reconcile(self, key: Key) -> float | None:  # noqa: ARG002 - there is one key only
        """Place what can be placed."""
        pods = self.objects("Pod")
        waiting = [pod for pod in pods if not pod["spec"].get("nodeName") and not is_terminating(pod)]
        if not waiting:
            return None
        nodes = self.objects("Node")
        for pod in sorted(waiting, key=lambda entry: entry["metadata"]["creationTimestamp"]):
            self._place(pod, nodes, pods)
        return None

    def _place(self, pod: Object, nodes: Sequence[Object], pods: list[Object]) -> None:
        reasons = {node["metadata"]["name"]: rejections(pod, node, pods) for node in nodes}
        if not nodes:
            self._refuse(pod, "no nodes available to schedule pods")
        elif trouble := self._claim_trouble(pod):
            self._refuse(pod, _explain_all(trouble, len(nodes)))
        elif fitting := [name for name, why in reasons.items() if not why]:
            self._bind(pod, min(fitting, key=lambda name: (_load(name, pods), name)))
        else:
            self._refuse(pod, _explain(pod, nodes, reasons))

    def _bind(self, pod: Object, node: str) -> None:
        pod["spec"]["nodeName"] = node
        bound = self.store.update(kind_of("Pod"), pod)
        conditions = with_condition((bound.get("status") or {}).get("conditions"), "PodScheduled", True)
        self.write_status(bound, {**bound["status"], "conditions": conditions})
        namespace, name = key_of(pod)
        self._recorder.normal(bound, "Scheduled", f"Successfully assigned {namespace}/{name} to {node}")

    def _refuse(self, pod: Object, message: str) -> None:
        conditions = (pod.get("status") or {}).get("conditions")
        present = condition(conditions, "PodScheduled")
        if present and present.get("message") == message:
            return
        conditions = with_condition(conditions, "PodScheduled", False, "Unschedulable", message)
        self.write_status(pod, {**pod.get("status", {}), "conditions": conditions})
        self._recorder.warning(pod, "FailedScheduling", message)

    def _claim_trouble(self, pod: Object) -> str:
        """Say what is wrong with the claims that the Pod mounts; empty when all are bound."""
        for name in claim_names(pod):
            claim = self.find("PersistentVolumeClaim", (pod["metadata"]["namespace"], name))
            if claim is None:
                return f'persistentvolumeclaim "{name}" not found'
            if "deletionTimestamp" in claim["metadata"]:
                return f'persistentvolumeclaim "{name}" is being deleted'
            if claim["status"].get("phase") == "Lost":
                volume = claim["spec"].get("volumeName", "")
                return f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{volume}"'
            if claim["status"].get("phase") != "Bound":
                return "pod has unbound immediate PersistentVolumeClaims"
        return ""


def _load(node: str, pods: Iterable[Object]) -> int:
    return sum(1 for pod in pods if pod["spec"].get("nodeName") == node)


def _explain_all(reason: str, nodes: int) -> str:
    return f"0/{nodes} nodes are available: {reason}. {_preemption(Counter({NOT_HELPFUL: nodes}), nodes)}"


def _explain(pod: Object, nodes: Sequence[Object], reasons: dict[str, list[str]]) -> str:
    counts = Counter(reason for why in reasons.values() for reason in why)
    full = [
        node
        for node in nodes
        if all(reason.startswith("Insufficient") for reason in reasons[node["metadata"]["name"]])
        and may_fit_an_empty_node(pod, node)
    ]
    hopeless = len(nodes) - len(full)
    preemption = +Counter({NO_VICTIMS: len(full), NOT_HELPFUL: hopeless})
    return f"0/{len(nodes)} nodes are available: {_listed(counts)}. {_preemption(preemption, len(nodes))}"


def _preemption(counts: Counter[str], nodes: int) -> str:
    return f"preemption: 0/{nodes} nodes are available: {_listed(counts)}."


def _listed(counts: Counter[str]) -> str:
    return ", ".join(sorted(f"{count} {reason}" for reason, count in counts.items()))
