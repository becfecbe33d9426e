"""Why the Pods of a Deployment or Job do not run: read from the Pods, their events and their logs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from runbook.clients.kube.client import KubeClient
from runbook.clients.kube.objects import Object
from runbook.steps.kube.scheduling import unscheduled
from runbook.steps.kube.trouble import SOON_SECONDS, Diagnosis, latest

_IMAGE: Final = frozenset({"ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull"})
_BROKEN: Final = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
_SIDECAR: Final = "gke-gcsfuse-sidecar"
_REFUSAL: Final = re.compile(r"[Ee]rror|denied|Denied|does not have|40[134]")
_NOT_YET: Final = re.compile(r"\b40[13]\b|[Dd]enied|[Ff]orbidden|does not have|Unauthenticated")
_PULL_AGAIN: Final = re.compile(
    r"\b429\b|[Tt]oo [Mm]any [Rr]equests|toomanyrequests|[Tt]ime.?out|timed out|\b50[234]\b"
)
_LOG_LINES: Final = 15
_MOUNT_SECONDS: Final = 300.0
_MILESTONE: Final = re.compile(
    r"Initializing|Loading|Total time to load|Compil|Capturing|KV cache|Started server process"
    r"|Waiting for application|Application startup|ERROR"
)


def diagnose(kube: KubeClient, deployment: Object, *, grows: bool) -> Diagnosis:
    """Look at a Deployment that is not rolled out.

    Args:
        kube: the cluster.
        deployment: as it is now.
        grows: whether nodes are made for its Pods when they fit none.
    """
    namespace = deployment["metadata"]["namespace"]
    pods = kube.list("v1", "Pod", namespace, labels=deployment["spec"]["selector"]["matchLabels"])
    return diagnose_pods(kube, pods, grows=grows) or _without_pods(deployment, ending=bool(pods))


def diagnose_pods(kube: KubeClient, pods: Sequence[Object], *, grows: bool) -> Diagnosis | None:
    """Look at the newest of some Pods that is to stay; None where there is none.

    Args:
        kube: the cluster.
        pods: of one Deployment or Job.
        grows: whether nodes are made for them when they fit none.
    """
    present = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    if not present:
        return None
    pod = max(present, key=lambda item: str(item["metadata"]["creationTimestamp"]))
    metadata = pod["metadata"]
    events = kube.list("v1", "Event", metadata["namespace"], fields=f"involvedObject.name={metadata['name']}")
    found = (
        unscheduled(kube, pod, events, grows=grows, ending=len(pods) > len(present))
        or _of_containers(kube, pod)
        or _unmounted(pod, events)
        or Diagnosis(_condition(kube, pod, events))
    )
    return replace(found, pod=metadata["name"])


def diagnose_absence(kube: KubeClient, owner: Object) -> Diagnosis:
    """Tell why there is no Pod of a Job: a quota, or a ServiceAccount that is missing.

    Args:
        kube: the cluster.
        owner: the Job.
    """
    metadata = owner["metadata"]
    events = kube.list("v1", "Event", metadata["namespace"], fields=f"involvedObject.name={metadata['name']}")
    failed = [event for event in events if event.get("reason") == "FailedCreate"]
    if not failed:
        return Diagnosis("no Pod yet")
    text = f"no Pod can be made: {latest(failed)['message']}"
    return Diagnosis(text, "FailedCreate", SOON_SECONDS, text)


def _without_pods(deployment: Object, *, ending: bool) -> Diagnosis:
    """A quota, or a ServiceAccount that is missing, shows only in the Deployment's conditions."""
    for condition in deployment.get("status", {}).get("conditions", ()):
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
            text = f"no Pod can be made: {condition['message']}"
            return Diagnosis(text, "ReplicaFailure", SOON_SECONDS, text)
    return Diagnosis("old Pods are ending" if ending else "no Pod yet")


def _of_containers(kube: KubeClient, pod: Object) -> Diagnosis | None:
    name = pod["metadata"]["name"]
    for container in _statuses(pod):
        waiting = container.get("state", {}).get("waiting", {})
        reason, message = waiting.get("reason", ""), waiting.get("message", "")
        text = f"Pod {name} {reason}: {message}"
        if reason in _IMAGE:
            patience = _pull_patience(reason, message)
            return Diagnosis(text, "image", patience, text, "see: inv vars server.image")
        if reason in _BROKEN:
            return Diagnosis(text, reason, SOON_SECONDS, text)
        if reason == "CrashLoopBackOff":
            refusals = _refusals(kube, pod)
            # a grant takes minutes until it holds everywhere
            patience = _MOUNT_SECONDS if _NOT_YET.search(refusals) else 0
            return Diagnosis(text, reason, patience, _crash(kube, pod, container, refusals))
    return None


def _pull_patience(reason: str, message: str) -> float:
    """Give time to registries that are busy; the first refusal may not tell yet."""
    if _PULL_AGAIN.search(message):
        return _MOUNT_SECONDS
    return SOON_SECONDS if reason == "ErrImagePull" else 0


def _refusals(kube: KubeClient, pod: Object) -> str:
    mount = kube.logs(pod["metadata"]["namespace"], pod["metadata"]["name"], _SIDECAR, tail=_LOG_LINES)
    return "\n".join(line for line in mount.splitlines() if _REFUSAL.search(line))


def _crash(kube: KubeClient, pod: Object, container: Object, refusals: str) -> str:
    """Tell how a container ended: its last lines and, as they may be the cause, the mount's refusals."""
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    last = kube.logs(namespace, name, container["name"], previous=True, tail=_LOG_LINES)
    code = container.get("lastState", {}).get("terminated", {}).get("exitCode")
    times = container["restartCount"]
    evidence = f"Pod {name} ended with code {code}, {times} times; its last lines:\n{_indented(last)}"
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
    text = f"Pod {pod['metadata']['name']} FailedMount: {latest(failed)['message']}"
    remedy = "run `inv step 2.3.1,2.3.4,3.3`: identity, driver and the bucket's grant"
    return Diagnosis(text, "FailedMount", _MOUNT_SECONDS, text, remedy)


def _condition(kube: KubeClient, pod: Object, events: Sequence[Object]) -> str:
    name, phase = pod["metadata"]["name"], pod.get("status", {}).get("phase", "Pending")
    if phase != "Running":
        told = f": {latest(events)['message']}" if events else ""
        return f"Pod {name} {phase}{told}"
    container = pod["spec"]["containers"][0]["name"]
    lines = kube.logs(pod["metadata"]["namespace"], name, container, tail=_LOG_LINES).splitlines()
    milestones = [line for line in lines if _MILESTONE.search(line)] or lines
    said = f": {milestones[-1].strip()[:160]}" if milestones else ""
    return f"Pod {name} Running, not ready{said}"
