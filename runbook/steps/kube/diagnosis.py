"""Why a Deployment's Pods are not ready: read from the Pods, their events and the server's log."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from runbook.clients.kube.client import KubeClient
from runbook.clients.kube.objects import Object

_IMAGE: Final = frozenset({"ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})
_BROKEN: Final = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
_SIDECAR: Final = "gke-gcsfuse-sidecar"
_REFUSAL: Final = re.compile(r"[Ee]rror|denied|Denied|does not have|40[134]")
_LOG_LINES: Final = 15
_UNSCHEDULABLE_SECONDS: Final = 120.0
_MOUNT_SECONDS: Final = 300.0
_MILESTONE: Final = re.compile(
    r"Initializing|Loading|Total time to load|Compil|Capturing|KV cache|Started server process"
    r"|Waiting for application|Application startup|ERROR"
)


@dataclass(frozen=True)
class Diagnosis:
    """What is seen of Pods that are not ready.

    Args:
        condition: one line for the operator who waits.
        cause: what kind of trouble; empty where there is none.
        patience_seconds: how long the trouble may last, on the real cloud; 0: it does not pass by itself,
            None: there is no trouble.
        evidence: the message of the error that ends the wait.
        remedy: what the operator can do.
    """

    condition: str
    cause: str = ""
    patience_seconds: float | None = None
    evidence: str = ""
    remedy: str | None = None


def diagnose(kube: KubeClient, deployment: Object) -> Diagnosis:
    """Look at a Deployment that is not rolled out.

    Args:
        kube: the cluster.
        deployment: as it is now.
    """
    namespace = deployment["metadata"]["namespace"]
    pods = kube.list("v1", "Pod", namespace, labels=deployment["spec"]["selector"]["matchLabels"])
    present = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    if not present:
        return _without_pods(deployment, ending=bool(pods))
    pod = max(present, key=lambda item: str(item["metadata"]["creationTimestamp"]))
    for found in (_unscheduled(pod, ending=len(pods) > len(present)), _of_containers(kube, pod)):
        if found:
            return found
    events = kube.list("v1", "Event", namespace, fields=f"involvedObject.name={pod['metadata']['name']}")
    return _unmounted(pod, events) or Diagnosis(_condition(kube, pod, events))


def _without_pods(deployment: Object, *, ending: bool) -> Diagnosis:
    """A quota, or a ServiceAccount that is missing, shows only in the Deployment's conditions."""
    for condition in deployment.get("status", {}).get("conditions", ()):
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
            text = f"no Pod can be made: {condition['message']}"
            return Diagnosis(text, "ReplicaFailure", _UNSCHEDULABLE_SECONDS, text)
    return Diagnosis("old Pods are ending" if ending else "no Pod yet")


def _unscheduled(pod: Object, *, ending: bool) -> Diagnosis | None:
    for condition in pod.get("status", {}).get("conditions", ()):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            text = f"Pod {pod['metadata']['name']} {condition.get('reason')}: {condition.get('message')}"
            if ending:
                return Diagnosis(f"{text} (an old Pod is ending)")
            remedy = "see: kubectl describe nodes; node labels, the taint, or chips that another Pod holds"
            return Diagnosis(text, "Unschedulable", _UNSCHEDULABLE_SECONDS, text, remedy)
    return None


def _of_containers(kube: KubeClient, pod: Object) -> Diagnosis | None:
    name = pod["metadata"]["name"]
    for container in _statuses(pod):
        waiting = container.get("state", {}).get("waiting", {})
        reason, message = waiting.get("reason", ""), waiting.get("message", "")
        text = f"Pod {name} {reason}: {message}"
        if reason in _IMAGE:
            return Diagnosis(text, reason, 0, text, "see: inv vars server.image")
        if reason in _BROKEN:
            return Diagnosis(text, reason, _UNSCHEDULABLE_SECONDS, text)
        if reason == "CrashLoopBackOff":
            return Diagnosis(text, reason, 0, _crash(kube, pod, container))
    return None


def _crash(kube: KubeClient, pod: Object, container: Object) -> str:
    """Tell how a container ended: its last lines and, as they may be the cause, the mount's refusals."""
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    last = kube.logs(namespace, name, container["name"], previous=True, tail=_LOG_LINES)
    code = container.get("lastState", {}).get("terminated", {}).get("exitCode")
    times = container["restartCount"]
    evidence = f"Pod {name} ended with code {code}, {times} times; its last lines:\n{_indented(last)}"
    mount = kube.logs(namespace, name, _SIDECAR, tail=_LOG_LINES)
    refusals = "\n".join(line for line in mount.splitlines() if _REFUSAL.search(line))
    return f"{evidence}\n{_SIDECAR} says:\n{_indented(refusals)}" if refusals else evidence


def _statuses(pod: Object) -> Iterator[Object]:
    status = pod.get("status", {})
    yield from status.get("initContainerStatuses", ())
    yield from status.get("containerStatuses", ())


def _indented(log: str) -> str:
    return "\n".join(f"  {line}" for line in log.splitlines() if line.strip())


def _unmounted(pod: Object, events: Sequence[Object]) -> Diagnosis | None:
    started = any(container.get("started") or container.get("ready") for container in _statuses(pod))
    failed = [event for event in events if event.get("reason") in {"FailedMount", "FailedAttachVolume"}]
    if started or not failed:
        return None
    text = f"Pod {pod['metadata']['name']} FailedMount: {_latest(failed)['message']}"
    remedy = "run `inv step 2.3.1,2.3.4,3.3`: identity, driver and the bucket's grant"
    return Diagnosis(text, "FailedMount", _MOUNT_SECONDS, text, remedy)


def _condition(kube: KubeClient, pod: Object, events: Sequence[Object]) -> str:
    name, phase = pod["metadata"]["name"], pod.get("status", {}).get("phase", "Pending")
    if phase != "Running":
        latest = f": {_latest(events)['message']}" if events else ""
        return f"Pod {name} {phase}{latest}"
    container = pod["spec"]["containers"][0]["name"]
    lines = kube.logs(pod["metadata"]["namespace"], name, container, tail=_LOG_LINES).splitlines()
    told = [line for line in lines if _MILESTONE.search(line)] or lines
    return (
        f"Pod {name} Running, not ready: {told[-1].strip()[:160]}"
        if told
        else f"Pod {name} Running, not ready"
    )


def _latest(events: Sequence[Object]) -> Object:
    return max(
        events, key=lambda event: str(event.get("lastTimestamp") or event["metadata"]["creationTimestamp"])
    )
