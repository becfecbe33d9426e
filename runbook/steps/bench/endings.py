"""How a benchmark's Job ended: by itself, or because something ended it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from runbook.clients.kube.client import KubeClient
from runbook.clients.kube.objects import Object, Reference
from runbook.steps.bench.jobs import ended

_SIGNALS: Final = {137: "SIGKILL", 143: "SIGTERM", 130: "SIGINT"}


def failed(job: Object) -> str:
    """Say why a Job failed; empty where it did not."""
    for condition in job.get("status", {}).get("conditions", ()):
        if condition["type"] == "Failed" and condition["status"] == "True":
            return f"failed ({condition.get('reason')}: {condition.get('message')})"
    return ""


def interrupted(kube: KubeClient, job: Object) -> str:
    """Say what ended a Job from outside; empty where nothing did.

    Args:
        job: as it was seen last.
    """
    if ended(job) == "Complete":
        return ""
    if kube.get(Reference.to(job)) is None:
        return f"job/{job['metadata']['name']} was deleted"
    if "DeadlineExceeded" in failed(job):
        return f"the Job {failed(job)}: bench.timeout_s is over"
    return next(_of_pods(kube, job), "")


def _of_pods(kube: KubeClient, job: Object) -> Iterator[str]:
    namespace, name = job["metadata"]["namespace"], job["metadata"]["name"]
    for pod in kube.list("v1", "Pod", namespace, labels={"job-name": name}):
        status = pod.get("status", {})
        if status.get("reason"):  # Evicted, NodeLost, Preempting
            yield f"its Pod was ended: {status['reason']}: {status.get('message', '')}".rstrip(": ")
        for container in status.get("containerStatuses", ()):
            over = container.get("state", {}).get("terminated") or {}
            if over.get("reason") == "OOMKilled":
                yield "the client was killed: out of memory (bench.memory)"
            elif over.get("exitCode") in _SIGNALS:
                code = over["exitCode"]
                yield f"the client was ended by {_SIGNALS[code]} (exit code {code})"
