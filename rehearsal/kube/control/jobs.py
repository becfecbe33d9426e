"""Jobs: Pods until enough of them succeeded, or too many failed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rehearsal.kube.api.kinds import kind_of
from rehearsal.kube.api.store import Event, Object, Store, timestamp
from rehearsal.kube.control.conditions import is_true, with_condition
from rehearsal.kube.control.control_loop import Controller, Key, key_of, named
from rehearsal.kube.control.deadlines import back_off_seconds
from rehearsal.kube.control.events import EventRecorder
from rehearsal.kube.control.finalizers import finalizers, release
from rehearsal.kube.control.owners import controlled, controller_key
from rehearsal.kube.control.pod_creation import PodsFromTemplates
from rehearsal.kube.control.pods import has_ended, is_active, is_ready, is_terminating, phase, seconds_since
from rehearsal.world import World

TRACKING = "batch.kubernetes.io/job-tracking"
INDEX = "batch.kubernetes.io/job-completion-index"
_INDEX_VARIABLE = {
    "name": "JOB_COMPLETION_INDEX",
    "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.annotations['{INDEX}']"}},
}
_FIRST_BACK_OFF = 10.0
_LONGEST_BACK_OFF = 600.0
_FAILURES = {
    "BackoffLimitExceeded": "Job has reached the specified backoff limit",
    "DeadlineExceeded": "Job was active longer than specified deadline",
}


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
        pods = self._count(job)
        delay = self._advance(job, pods)
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
        pods = controlled(self.objects("Pod", job["metadata"]["namespace"]), job)
        ended = [pod for pod in pods if (has_ended(pod) or _was_lost(pod)) and _is_tracked(pod)]
        for pod in ended:
            outcome = "succeeded" if phase(pod) == "Succeeded" else "failed"
            status[outcome] = status.get(outcome, 0) + 1
            if outcome == "succeeded" and _index(pod):
                status["completedIndexes"] = _with_index(status.get("completedIndexes", ""), _index(pod))
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
        spec, status = job["spec"], job["status"]
        active = [pod for pod in pods if is_active(pod)]
        if reason := self._failure(job, pods):
            self._fail(job, active, reason)
            return 0.0
        if _is_complete(job, bool(active)):
            self._complete(job)
            return 0.0
        left = self._deadline_left(job)
        wait = self._back_off(job, pods)
        if wait > 0:
            return min(wait, left or wait)
        missing = min(spec.get("parallelism", 1), _remaining(job)) - len(active)
        if spec.get("suspend"):
            missing = 0
        for index in _free_indexes(job, active, max(missing, 0)):
            self._create(job, index)
        status["active"] = len(active) + max(missing, 0)
        return left

    def _create(self, job: Object, index: str) -> None:
        if not index:
            self._pods.create(job, finalizers=[TRACKING])
            return
        annotations = {INDEX: index}
        name = job["metadata"]["name"]
        self._pods.create(
            job,
            prefix=f"{name}-{index}-",
            finalizers=[TRACKING],
            annotations=annotations,
            labels=annotations,
            environment=[_INDEX_VARIABLE],
        )

    def _failure(self, job: Object, pods: list[Object]) -> str:
        failures = job["status"].get("failed", 0)
        if job["spec"]["template"]["spec"].get("restartPolicy") == "OnFailure":
            failures += sum(_restarts(pod) for pod in pods)
        if failures > job["spec"].get("backoffLimit", 6):
            return "BackoffLimitExceeded"
        left = self._deadline_left(job)
        return "DeadlineExceeded" if left is not None and left <= 0 else ""

    def _deadline_left(self, job: Object) -> float | None:
        seconds = job["spec"].get("activeDeadlineSeconds")
        if seconds is None:
            return None
        # Never scaled: the program that it bounds, such as a benchmark, takes its own time here too.
        return float(seconds - seconds_since(job["status"]["startTime"]))

    def _back_off(self, job: Object, pods: list[Object]) -> float:
        """Tell how long to wait before a failed Pod is replaced."""
        failures = job["status"].get("failed", 0)
        ends = [_end(pod) for pod in pods if phase(pod) == "Failed"]
        if not failures or not ends:
            return 0.0
        wait = back_off_seconds(self._world.settings, failures, _FIRST_BACK_OFF, _LONGEST_BACK_OFF)
        return wait - seconds_since(max(ends))

    def _fail(self, job: Object, active: list[Object], reason: str) -> None:
        message = _FAILURES[reason]
        for pod in active:
            self._pods.delete(job, pod)
        status = job["status"]
        status["failed"] = status.get("failed", 0) + len(active)
        status["active"] = status["ready"] = 0
        for kind in ("FailureTarget", "Failed"):
            status["conditions"] = _ending(status.get("conditions"), kind, reason, message)
        self._recorder.warning(job, reason, message)

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


def _remaining(job: Object) -> int:
    completions = job["spec"].get("completions")
    succeeded = job["status"].get("succeeded", 0)
    if completions is None:
        return 0 if succeeded else int(job["spec"].get("parallelism", 1))
    return int(completions - succeeded)


def _index(pod: Object) -> str:
    return str((pod["metadata"].get("annotations") or {}).get(INDEX, ""))


def _free_indexes(job: Object, active: list[Object], count: int) -> Iterator[str]:
    """Name the completion indexes of the Pods to create; empty names where the Job is not Indexed."""
    if job["spec"].get("completionMode") != "Indexed":
        yield from [""] * count
        return
    taken = {_index(pod) for pod in active} | set(_expanded(job["status"].get("completedIndexes", "")))
    free = [str(index) for index in range(job["spec"]["completions"]) if str(index) not in taken]
    yield from free[:count]


def _expanded(indexes: str) -> Iterator[str]:
    for part in filter(None, indexes.split(",")):
        first, _, last = part.partition("-")
        yield from (str(index) for index in range(int(first), int(last or first) + 1))


def _with_index(indexes: str, index: str) -> str:
    ranges: list[list[int]] = []
    for number in sorted({int(entry) for entry in _expanded(indexes)} | {int(index)}):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def _restarts(pod: Object) -> int:
    return sum(entry["restartCount"] for entry in (pod.get("status") or {}).get("containerStatuses") or [])


def _end(pod: Object) -> str:
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    ends = [
        entry["state"]["terminated"]["finishedAt"] for entry in statuses if "terminated" in entry["state"]
    ]
    return str(max(ends, default=pod["metadata"]["creationTimestamp"]))
