"""When a Job has failed, and how long it waits before it tries again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rehearsal.kube.api.store import Object
from rehearsal.kube.control.deadlines import back_off_seconds
from rehearsal.kube.control.job_failure_policy import verdict
from rehearsal.kube.control.job_indexes import (
    count_of,
    failures_before,
    has_limit_per_index,
    index_of,
)
from rehearsal.kube.control.pods import has_ended, phase, seconds_since
from rehearsal.world import Settings

_FIRST_BACK_OFF = 10.0
_LONGEST_BACK_OFF = 600.0


class Failure(NamedTuple):
    """Why a Job has failed, as its condition says it."""

    reason: str
    message: str


_BACKOFF_LIMIT = Failure("BackoffLimitExceeded", "Job has reached the specified backoff limit")
_DEADLINE = Failure("DeadlineExceeded", "Job was active longer than specified deadline")
_FAILED_INDEXES = Failure("FailedIndexes", "Job has failed indexes")
_TOO_MANY_INDEXES = Failure(
    "MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes"
)


def failure(job: Object, pods: Sequence[Object]) -> Failure | None:
    """Tell why the Job has failed, if it has; its status has counted the Pods that ended."""
    for pod in pods:
        if phase(pod) == "Failed" and (judged := verdict(job, pod)).action == "FailJob":
            return Failure("PodFailurePolicy", judged.message)
    if _past_backoff_limit(job, pods):
        return _BACKOFF_LIMIT
    left = deadline_left(job)
    if left is not None and left <= 0:
        return _DEADLINE
    return _failure_of_indexes(job)


def deadline_left(job: Object) -> float | None:
    """Give the seconds until activeDeadlineSeconds have passed; None where there is no such deadline."""
    seconds = job["spec"].get("activeDeadlineSeconds")
    if seconds is None:
        return None
    # Never scaled: the program that it bounds, such as a benchmark, takes its own time here too.
    return float(seconds - seconds_since(job["status"]["startTime"]))


def index_has_failed(job: Object, pod: Object) -> bool:
    """Tell whether the failure of this Pod is one too many for its index."""
    if not has_limit_per_index(job):
        return False
    judged = verdict(job, pod).action
    return judged == "FailIndex" or _failures_after(job, pod) > job["spec"]["backoffLimitPerIndex"]


def failures_of_index(job: Object, pods: Iterable[Object], index: str) -> int:
    """Count how often an index has failed."""
    failed = (pod for pod in pods if phase(pod) == "Failed" and index_of(pod) == index)
    return max((_failures_after(job, pod) for pod in failed), default=0)


def wait_seconds(job: Object, pods: Sequence[Object], index: str, settings: Settings) -> float:
    """Tell how long to wait before a failed Pod is replaced: each index for itself where it has a limit."""
    failed = [pod for pod in pods if phase(pod) == "Failed"]
    failures = job["status"].get("failed", 0)
    if has_limit_per_index(job):
        failed = [pod for pod in failed if index_of(pod) == index]
        failures = failures_of_index(job, failed, index)
    if not failures or not failed:
        return 0.0
    wait = back_off_seconds(settings, failures, _FIRST_BACK_OFF, _LONGEST_BACK_OFF)
    return wait - seconds_since(max(map(_end, failed)))


def _failures_after(job: Object, pod: Object) -> int:
    return failures_before(pod) + (verdict(job, pod).action != "Ignore")


def _past_backoff_limit(job: Object, pods: Iterable[Object]) -> bool:
    limit = job["spec"].get("backoffLimit", 6)
    if job["status"].get("failed", 0) > limit:
        return True
    if job["spec"]["template"]["spec"].get("restartPolicy") != "OnFailure":
        return False
    restarts = sum(_restarts(pod) for pod in pods if not has_ended(pod))
    return bool(restarts >= max(limit, 1))


def _failure_of_indexes(job: Object) -> Failure | None:
    spec, status = job["spec"], job["status"]
    failed, done = (count_of(status.get(field, "")) for field in ("failedIndexes", "completedIndexes"))
    if spec.get("maxFailedIndexes") is not None and failed > spec["maxFailedIndexes"]:
        return _TOO_MANY_INDEXES
    return _FAILED_INDEXES if failed and failed + done >= spec["completions"] else None


def _restarts(pod: Object) -> int:
    status = pod.get("status") or {}
    fields = ("initContainerStatuses", "containerStatuses")
    return sum(entry["restartCount"] for field in fields for entry in status.get(field) or [])


def _end(pod: Object) -> str:
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    ends = [
        entry["state"]["terminated"]["finishedAt"] for entry in statuses if "terminated" in entry["state"]
    ]
    return str(max(ends, default=pod["metadata"]["creationTimestamp"]))
