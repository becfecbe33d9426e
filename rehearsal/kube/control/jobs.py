"""Jobs: Pods until enough of them succeeded, or too many failed."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat

from rehearsal.kube.api.kinds import kind_of
from rehearsal.kube.api.store import Event, Object, Store, timestamp
from rehearsal.kube.control.conditions import is_true, with_condition
from rehearsal.kube.control.control_loop import Controller, Key, key_of, named
from rehearsal.kube.control.events import EventRecorder
from rehearsal.kube.control.finalizers import finalizers, release
from rehearsal.kube.control.job_failure_policy import verdict
from rehearsal.kube.control.job_failures import (
    Failure,
    deadline_left,
    failure,
    failures_of_index,
    index_has_failed,
    wait_seconds,
)
from rehearsal.kube.control.job_indexes import (
    FAILURE_COUNT,
    INDEX,
    INDEX_VARIABLE,
    count_of,
    has_limit_per_index,
    index_of,
    indexes_to_run,
    is_indexed,
    with_index,
)
from rehearsal.kube.control.owners import controlled, controller_key
from rehearsal.kube.control.pod_creation import PodsFromTemplates
from rehearsal.kube.control.pods import has_ended, is_active, is_ready, is_terminating, phase, seconds_since
from rehearsal.world import World

TRACKING = "batch.kubernetes.io/job-tracking"


class Jobs(Controller):
    """Creates a Job's Pods, counts how they ended, and ends and removes the Job in its turn."""

    def __init__(self, store: Store, pods: PodsFromTemplates, recorder: EventRecorder, world: World) -> None:
        super().__init__(store)
        self._pods = pods
        self._recorder = recorder
        self._world = world

    def keys(self, event: Event) -> Iterable[Key]:
        """Follow Jobs, and Pods to their Job."""
        if event.kind.kind == "Pod":
            return controller_key(event.object, "Job")
        return named(event, "Job")

    def reconcile(self, key: Key) -> float | None:
        """Count, then end the Job or bring its Pods to the number that it needs."""
        job = self.find("Job", key)
        if job is None or "deletionTimestamp" in job["metadata"]:
            self._let_go(key)
            return None
        status = job.setdefault("status", {})
        if is_ended(job):
            self._let_go(key)
            return self._expire(job)
        status.setdefault("startTime", timestamp())
        delay = self._advance(job, self._count(job))
        self.write_status(job, {name: value for name, value in status.items() if value not in (0, [])})
        return delay

    def _let_go(self, key: Key) -> None:
        """Take the tracking finalizer off Pods whose Job no longer counts them."""
        for pod in self.objects("Pod", key[0]):
            if key in controller_key(pod, "Job"):
                self._untrack(pod)

    def _untrack(self, pod: Object) -> None:
        release(self.store, kind_of("Pod"), *key_of(pod), TRACKING)

    def _count(self, job: Object) -> list[Object]:
        """Add the Pods that ended since the last time to the status; return the Job's Pods."""
        status = job["status"]
        pods = self._of(job)
        ended = [pod for pod in pods if (has_ended(pod) or _was_lost(pod)) and _is_tracked(pod)]
        for pod in ended:
            _count_end(job, pod)
        active = [pod for pod in pods if is_active(pod)]
        status["active"] = len(active)
        status["ready"] = len([pod for pod in active if is_ready(pod)])
        status["terminating"] = len([pod for pod in pods if is_terminating(pod) and not has_ended(pod)])
        status["uncountedTerminatedPods"] = {}
        if ended:
            self.write_status(job, status)
            for pod in ended:
                self._untrack(pod)
        return self._of(job)

    def _of(self, job: Object) -> list[Object]:
        return controlled(self.objects("Pod", job["metadata"]["namespace"]), job)

    def _advance(self, job: Object, pods: list[Object]) -> float | None:
        active = [pod for pod in pods if is_active(pod)]
        if found := failure(job, pods):
            self._fail(job, active, found)
            return 0.0
        if _is_complete(job, bool(active)):
            self._complete(job)
            return 0.0
        delays = [deadline_left(job), self._fill(job, pods, active)]
        return min((delay for delay in delays if delay is not None), default=None)

    def _fill(self, job: Object, pods: list[Object], active: list[Object]) -> float | None:
        """Create the Pods that are missing; give the seconds until one that has to wait may be created."""
        missing = 0 if job["spec"].get("suspend") else _wanted(job) - len(active)
        waits: list[float] = []
        for index in indexes_to_run(job, active) if is_indexed(job) else repeat("", max(missing, 0)):
            if missing <= 0:
                break
            wait = wait_seconds(job, pods, index, self._world.settings)
            if wait > 0:
                waits.append(wait)
                continue
            self._create(job, index, pods)
            job["status"]["active"] += 1
            missing -= 1
        return min(waits, default=None)

    def _create(self, job: Object, index: str, pods: list[Object]) -> None:
        if not index:
            self._pods.create(job, finalizers=[TRACKING])
            return
        annotations = {INDEX: index}
        if has_limit_per_index(job):
            annotations[FAILURE_COUNT] = str(failures_of_index(job, pods, index))
        name = f"{job['metadata']['name']}-{index}"
        self._pods.create(
            job,
            prefix=f"{name}-",
            hostname=name,
            finalizers=[TRACKING],
            annotations=annotations,
            labels={INDEX: index},
            environment=[INDEX_VARIABLE],
        )

    def _fail(self, job: Object, active: list[Object], found: Failure) -> None:
        for pod in active:
            self._pods.delete(job, pod)
        status = job["status"]
        status["failed"] = status.get("failed", 0) + len(active)
        status["active"] = status["ready"] = 0
        for kind in ("FailureTarget", "Failed"):
            status["conditions"] = _ending(status.get("conditions"), kind, found.reason, found.message)
        self._recorder.warning(job, found.reason, found.message)

    def _complete(self, job: Object) -> None:
        status = job["status"]
        status["completionTime"] = timestamp()
        status["active"] = status["ready"] = 0
        for kind in ("SuccessCriteriaMet", "Complete"):
            status["conditions"] = _ending(
                status.get("conditions"),
                kind,
                "CompletionsReached",
                "Reached expected number of succeeded pods",
            )
        self._recorder.normal(job, "Completed", "Job completed")

    def _expire(self, job: Object) -> float | None:
        """Delete an ended Job when its ttlSecondsAfterFinished have passed; these are real seconds."""
        ttl = job["spec"].get("ttlSecondsAfterFinished")
        if ttl is None:
            return None
        left = float(ttl) - seconds_since(_ended_at(job))
        if left > 0:
            return left
        self.store.delete(kind_of("Job"), *key_of(job), propagation="Foreground")
        return None


def is_ended(job: Object) -> bool:
    """Tell whether the Job is Complete or Failed."""
    conditions = (job.get("status") or {}).get("conditions")
    return is_true(conditions, "Complete") or is_true(conditions, "Failed")


def _ending(conditions: list[Object] | None, kind: str, reason: str, message: str) -> list[Object]:
    return with_condition(conditions, kind, True, reason, message, lastProbeTime=timestamp())


def _ended_at(job: Object) -> str:
    conditions = job["status"]["conditions"]
    ends = [entry["lastTransitionTime"] for entry in conditions if entry["type"] in ("Complete", "Failed")]
    return str(max(ends))


def _is_tracked(pod: Object) -> bool:
    return TRACKING in finalizers(pod)


def _was_lost(pod: Object) -> bool:
    """Tell whether the Pod was stopped and only its finalizer keeps it."""
    return is_terminating(pod) and not pod["metadata"].get("deletionGracePeriodSeconds")


def _is_complete(job: Object, anything_active: bool) -> bool:
    succeeded = job["status"].get("succeeded", 0)
    completions = job["spec"].get("completions")
    if completions is None:
        return bool(succeeded) and not anything_active
    return bool(succeeded >= completions)


def _wanted(job: Object) -> int:
    """Say how many Pods should run at the same time."""
    spec, status = job["spec"], job["status"]
    parallelism, succeeded = int(spec.get("parallelism", 1)), status.get("succeeded", 0)
    if spec.get("completions") is None:
        return 0 if succeeded else parallelism
    settled = int(succeeded) + count_of(status.get("failedIndexes", ""))
    return min(parallelism, int(spec["completions"]) - settled)


def _count_end(job: Object, pod: Object) -> None:
    """Add one Pod that ended to the Job's status."""
    status, index = job["status"], index_of(pod)
    if phase(pod) == "Succeeded":
        status["succeeded"] = status.get("succeeded", 0) + 1
        if index:
            status["completedIndexes"] = with_index(status.get("completedIndexes", ""), index)
        return
    if verdict(job, pod).action != "Ignore":
        status["failed"] = status.get("failed", 0) + 1
    if index_has_failed(job, pod):
        status["failedIndexes"] = with_index(status.get("failedIndexes", ""), index)
