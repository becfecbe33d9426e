"""Why the Pods of a Deployment or Job do not run: read from the Pods, their events and their logs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from runbook.clients.kube.objects import Object, Reader, is_terminating
from runbook.steps.kube import crash
from runbook.steps.kube.claims import unbound
from runbook.steps.kube.creation import refused
from runbook.steps.kube.failing import failing
from runbook.steps.kube.leaving import overdue
from runbook.steps.kube.permitted import listed
from runbook.steps.kube.placement import has_ended
from runbook.steps.kube.remedies import KUBECTL
from runbook.steps.kube.scheduling import unscheduled
from runbook.steps.kube.supply import Supply
from runbook.steps.kube.trouble import SOON_SECONDS, Diagnosis, latest
from runbook.steps.symptoms.evidence import Source
from runbook.steps.symptoms.known import said

_IMAGE: Final = frozenset({"ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull"})
_BROKEN: Final = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
_NEVER_PULLED: Final = frozenset({"InvalidImageName", "ErrImageNeverPull"})
_REFUSED: Final = re.compile(
    r"code = NotFound|manifest unknown|not found|invalid reference|denied|unauthorized|forbidden|\b40[134]\b",
    re.IGNORECASE,
)
"""What a registry says of a name, or of a login, that it does not take."""
_PULL_AGAIN: Final = re.compile(
    r"\b429\b|too many requests|toomanyrequests|time.?out|timed out|\b50[0234]\b", re.IGNORECASE
)
"""What may come with such words, and passes: a registry refuses who asks too often too."""
_MOUNT_SECONDS: Final = 300.0
_PULL_SECONDS: Final = 300.0
_PASSING_SECONDS: Final = 1800.0
"""What is known to pass takes as long as a mount of many files."""
_IMAGE_REMEDY: Final = "look at the image's name and tag, and at who may pull it: inv vars server.image"
_REGISTRY_REMEDY: Final = (
    "the kubelet goes on asking; where it stays so, look at the registry's name in the image, the node's way"
    f" to it (DNS, Cloud NAT, firewall) and its limits: {KUBECTL} describe pod"
)
_MOUNT_REMEDY: Final = "run `inv step 2.3.1,2.3.4,3.3`: identity, driver and the bucket's grant"


def diagnose(kube: Reader, deployment: Object, *, supply: Supply) -> Diagnosis:
    """Look at a Deployment that is not rolled out.

    Args:
        kube: the cluster.
        deployment: as it is now.
        supply: where nodes for its Pods come from.
    """
    namespace = deployment["metadata"]["namespace"]
    pods = kube.list("v1", "Pod", namespace, labels=deployment["spec"]["selector"]["matchLabels"])
    return (
        _refused(kube, deployment, pods)
        or diagnose_pods(kube, pods, supply=supply, keeps_old=_keeps_old(deployment))
        or overdue(pods)
        or Diagnosis("old Pods are ending" if pods else "no Pod yet")
    )


def diagnose_pods(
    kube: Reader, pods: Sequence[Object], *, supply: Supply, keeps_old: bool = False
) -> Diagnosis | None:
    """Look at the newest of some Pods that is to stay; None where there is none.

    Args:
        kube: the cluster.
        pods: of one Deployment or Job.
        supply: where nodes for them come from.
        keeps_old: whether a rollout keeps old Pods until the new ones are ready.
    """
    present = [pod for pod in pods if not is_terminating(pod)]
    if not present:
        return None
    pod, leaving = newest(present), [pod for pod in pods if is_terminating(pod)]
    if repeated := failing(present, pod):
        return repeated
    metadata = pod["metadata"]
    fields = f"involvedObject.name={metadata['name']}"
    events = listed(lambda: kube.list("v1", "Event", metadata["namespace"], fields=fields))
    found = (
        unbound(kube, pod)
        or unscheduled(kube, pod, events, supply=supply, leaving=leaving, keeps_old=keeps_old)
        or (overdue(leaving) if has_ended(pod) else None)
        or _of_containers(kube, pod)
        or _unmounted(pod, events)
        or Diagnosis(_condition(pod, events))
    )
    return replace(found, pod=metadata["name"])


def newest(pods: Sequence[Object]) -> Object:
    """Choose the Pod that was made last; times are whole seconds, so one without a node is the later.

    One that has ended, as an evicted one, counts only where there is no other.
    """
    return max(
        pods,
        key=lambda pod: (
            not has_ended(pod),
            str(pod["metadata"]["creationTimestamp"]),
            "nodeName" not in pod["spec"],
        ),
    )


def _refused(kube: Reader, deployment: Object, pods: Sequence[Object]) -> Diagnosis | None:
    """A quota, or a ServiceAccount that is missing, shows only in the Deployment's conditions."""
    if any(map(is_terminating, pods)):
        return None
    for condition in deployment.get("status", {}).get("conditions", ()):
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
            return refused(kube, deployment, "ReplicaFailure", condition["message"])
    return None


def _keeps_old(deployment: Object) -> bool:
    """Tell whether a rollout ends no old Pod before a new one is ready: percentages are rounded down."""
    strategy = deployment["spec"].get("strategy", {})
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        return False
    wanted = str(strategy.get("rollingUpdate", {}).get("maxUnavailable", "25%"))
    replicas: int = deployment["spec"].get("replicas", 1)
    if wanted.endswith("%"):
        return math.floor(replicas * int(wanted[:-1]) / 100) == 0
    return int(wanted) == 0


def _of_containers(kube: Reader, pod: Object) -> Diagnosis | None:
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    for container in statuses(pod):
        waiting = container.get("state", {}).get("waiting", {})
        reason, message = waiting.get("reason", ""), waiting.get("message", "")
        text = f"Pod {name} {reason}: {message}"
        if reason in _IMAGE:
            return _of_image(text, f"{name} --namespace={namespace}", reason, message)
        if reason in _BROKEN:
            known = said(Source.STATUS, message)
            look = f"{KUBECTL} describe pod {name} --namespace={namespace}"
            remedy = f"see: {look}; the container cannot be made in this way"
            patience = _PASSING_SECONDS if known and known.verdict == "warning" else SOON_SECONDS
            return Diagnosis(text, reason, patience, text, remedy, symptom=known.id if known else "")
        if reason == "CrashLoopBackOff":
            return crash.explained(kube, pod, container)
    return None


def _of_image(text: str, pod: str, reason: str, message: str) -> Diagnosis:
    """Tell a registry that refuses from one that is busy, or not reached: this passes more often than not."""
    refused_it = _REFUSED.search(message) and not _PULL_AGAIN.search(message)
    if refused_it or reason in _NEVER_PULLED:
        return Diagnosis(text, "image", 0, text, _IMAGE_REMEDY)
    return Diagnosis(text, "registry", _PULL_SECONDS, text, f"{_REGISTRY_REMEDY} {pod}")


def statuses(pod: Object) -> Iterator[Object]:
    """Give the statuses of all containers, init containers first."""
    status = pod.get("status", {})
    yield from status.get("initContainerStatuses", ())
    yield from status.get("containerStatuses", ())


def _unmounted(pod: Object, events: Sequence[Object]) -> Diagnosis | None:
    """What was told of a mount is over when a container's image was asked for, or it started."""
    started = any(container.get("started") or container.get("ready") for container in statuses(pod))
    failed = [event for event in events if event.get("reason") in {"FailedMount", "FailedAttachVolume"}]
    if started or not failed:
        return None
    message = str(latest(failed)["message"])
    text = f"Pod {pod['metadata']['name']} FailedMount: {message}"
    known = said(Source.EVENT, message)
    patience = 0 if known and known.lasting else _MOUNT_SECONDS
    symptom = known.id if known else ""
    return Diagnosis(text, "FailedMount", patience, text, _MOUNT_REMEDY, symptom=symptom)


def _condition(pod: Object, events: Sequence[Object]) -> str:
    name, phase = pod["metadata"]["name"], pod.get("status", {}).get("phase", "Pending")
    if phase == "Running":
        return f"Pod {name} Running, not ready"
    told = pod.get("status", {}).get("message") or (latest(events)["message"] if events else "")
    return f"Pod {name} {phase}" + (f": {told}" if told else "")
