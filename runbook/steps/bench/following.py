"""A Job's log, followed to the Job's end through lost connections, with its progress told on the way."""

from __future__ import annotations

import re
import time
from typing import Final

from runbook.clients.kube.objects import Object, Reference
from runbook.engine.errors import FailedError, PassingError
from runbook.steps.bench.jobs import ended
from runbook.steps.context import Context
from runbook.steps.kube.cluster import client
from runbook.steps.kube.removal import pauses

_QUIET_SECONDS: Final = 5.0
_PROGRESS: Final = re.compile(r"(?P<percent>\d+)%\|.*?\| (?P<done>\d+)/(?P<total>\d+) \[(?P<times>[^\]]*)\]")
_STUCK: Final = frozenset({"ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError"})


def follow(context: Context, reference: Reference) -> tuple[str, Object]:
    """Wait for a Job's end.

    Returns:
        its log, and the Job as it was last.

    Raises:
        FailedError: its Pod cannot start, or the deadline of `bench.timeout_s` has passed.
    """
    deadline = time.monotonic() + context.variables.bench.timeout_s
    kube = client(context)
    log = ""
    last = None
    for pause in pauses():
        job = kube.get(reference)
        if job is None:
            if last is None:
                raise FailedError(f"{reference} was deleted")
            return log, last
        last = job
        pod = _pod(context, job)
        if ended(job):
            return (_whole_log(context, pod) if pod else log), job
        if pod and pod.get("status", {}).get("phase") != "Pending":
            log = _read_on(context, pod, log)
        else:
            _tell_pending(context, pod)
        if time.monotonic() > deadline:
            raise FailedError(f"{reference} still runs after {context.variables.bench.timeout_s} s")
        context.pause(pause)
    raise AssertionError  # the pauses never end


def _pod(context: Context, job: Object) -> Object | None:
    namespace, name = job["metadata"]["namespace"], job["metadata"]["name"]
    pods = client(context).list("v1", "Pod", namespace, labels={"job-name": name})
    return max(pods, key=lambda pod: str(pod["metadata"]["creationTimestamp"]), default=None)


def _container(pod: Object) -> str:
    name: str = pod["spec"]["containers"][0]["name"]
    return name


def _whole_log(context: Context, pod: Object) -> str:
    metadata = pod["metadata"]
    return client(context).logs(metadata["namespace"], metadata["name"], _container(pod))


def _read_on(context: Context, pod: Object, known: str) -> str:
    """Follow the log until it ends, falls silent or breaks; the part that is known is not told again."""
    metadata = pod["metadata"]
    lines: list[str] = []
    told = known.count("\n")
    try:
        with client(context).follow(
            metadata["namespace"], metadata["name"], _container(pod), _QUIET_SECONDS
        ) as stream:
            for line in stream:
                lines.append(line)
                if len(lines) > told:
                    _tell(context, line)
                context.pause(0)
    except PassingError:
        pass  # it was silent; the caller looks at the Job and comes back
    text = "".join(f"{line}\n" for line in lines)
    return text if len(text) > len(known) else known


def _tell(context: Context, line: str) -> None:
    progress = list(_PROGRESS.finditer(line))
    if progress:
        found = progress[-1]
        context.report.condition(f"{found['done']} of {found['total']} requests [{found['times']}]")
    elif line.strip() and not line.startswith("{"):
        context.report.condition(line.strip()[:120])


def _tell_pending(context: Context, pod: Object | None) -> None:
    if pod is None:
        context.report.condition("no Pod yet")
        return
    status = pod.get("status", {})
    for condition in status.get("conditions", ()):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            context.report.condition(f"Pod {condition.get('reason')}: {condition.get('message')}")
            return
    for container in status.get("containerStatuses", ()):
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") in _STUCK:
            name = pod["metadata"]["name"]
            raise FailedError(f"Pod {name} {waiting['reason']}: {waiting.get('message', '')}")
    context.report.condition(f"Pod {pod['metadata']['name']} {status.get('phase')}")
