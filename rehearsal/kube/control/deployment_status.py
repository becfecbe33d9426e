"""A Deployment's status: counts, and the conditions Available, Progressing and ReplicaFailure."""

from __future__ import annotations

from rehearsal.kube.api.store import Object, timestamp
from rehearsal.kube.control.conditions import Condition, condition, with_condition, without_condition
from rehearsal.kube.control.deadlines import deadline_seconds
from rehearsal.kube.control.pods import seconds_since
from rehearsal.kube.control.rollout import replicas, surge_and_unavailable
from rehearsal.world import World

_DEFAULT_DEADLINE = 600


class DeploymentStatus:
    """Computes the status of Deployments.

    Args:
        world: for how progressDeadlineSeconds passes.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def of(self, deployment: Object, newest: Object | None, old: list[Object]) -> tuple[Object, float | None]:
        """Compute the status.

        Returns:
            the status, and after how many seconds the progress deadline must be looked at.
        """
        before = deployment.get("status") or {}
        status = _counts(deployment, newest, old)
        conditions = _available(before.get("conditions"), deployment, status)
        conditions, delay = self._progress(conditions, deployment, before, status, newest)
        conditions = _replica_failure(conditions, [entry for entry in [newest, *old] if entry])
        status["conditions"] = conditions
        told = {name: value for name, value in status.items() if value}
        return told, delay

    def _progress(
        self,
        conditions: list[Condition],
        deployment: Object,
        before: Object,
        status: Object,
        newest: Object | None,
    ) -> tuple[list[Condition], float | None]:
        subject = (
            f'ReplicaSet "{newest["metadata"]["name"]}"'
            if newest
            else f'Deployment "{deployment["metadata"]["name"]}"'
        )
        present = condition(conditions, "Progressing")
        ended = present is not None and present["reason"] == "NewReplicaSetAvailable"
        if ended and status["replicas"] == status["updatedReplicas"]:
            return conditions, None
        if _is_complete(deployment, status):
            message = f"{subject} has successfully progressed."
            return _progressing(conditions, "NewReplicaSetAvailable", message), None
        if present is None or ended or _moved(before, status):
            message = f"{subject} is progressing."
            conditions = _progressing(conditions, "ReplicaSetUpdated", message)
        return self._deadline(conditions, deployment, subject)

    def _deadline(
        self, conditions: list[Condition], deployment: Object, subject: str
    ) -> tuple[list[Condition], float | None]:
        present = condition(conditions, "Progressing")
        if present is None or present["status"] == "False" or deployment["spec"].get("paused"):
            return conditions, None
        given = deployment["spec"].get("progressDeadlineSeconds", _DEFAULT_DEADLINE)
        left = deadline_seconds(self._world.settings, given) - seconds_since(present["lastUpdateTime"])
        if left > 0:
            return conditions, left
        message = f"{subject} has timed out progressing."
        late = with_condition(
            conditions, "Progressing", False, "ProgressDeadlineExceeded", message, lastUpdateTime=timestamp()
        )
        return late, None


def _counts(deployment: Object, newest: Object | None, old: list[Object]) -> Object:
    every = [entry.get("status") or {} for entry in [newest, *old] if entry]
    ready_to_use = sum(entry.get("availableReplicas", 0) for entry in every)
    total = sum(entry.get("replicas", 0) for entry in every)
    return {
        "observedGeneration": deployment["metadata"]["generation"],
        "replicas": total,
        "updatedReplicas": ((newest or {}).get("status") or {}).get("replicas", 0),
        "readyReplicas": sum(entry.get("readyReplicas", 0) for entry in every),
        "availableReplicas": ready_to_use,
        "unavailableReplicas": max(
            max(sum(map(replicas, filter(None, [newest, *old]))), total) - ready_to_use, 0
        ),
    }


def _is_complete(deployment: Object, status: Object) -> bool:
    wanted = replicas(deployment)
    return bool(status["updatedReplicas"] == status["replicas"] == status["availableReplicas"] == wanted)


def _moved(before: Object, status: Object) -> bool:
    """Tell whether the rollout came closer to its end since the last status."""

    def old(status: Object) -> int:
        left: int = status.get("replicas", 0) - status.get("updatedReplicas", 0)
        return left

    return old(status) < old(before) or any(
        status[name] > before.get(name, 0)
        for name in ("updatedReplicas", "readyReplicas", "availableReplicas")
    )


def _progressing(conditions: list[Condition] | None, reason: str, message: str) -> list[Condition]:
    return with_condition(conditions, "Progressing", True, reason, message, lastUpdateTime=timestamp())


def _available(conditions: list[Condition] | None, deployment: Object, status: Object) -> list[Condition]:
    _, unavailable = surge_and_unavailable(deployment)
    least = replicas(deployment) - min(unavailable, replicas(deployment))
    enough = status["availableReplicas"] >= least
    present = condition(conditions, "Available")
    if present is not None and (present["status"] == "True") is enough:
        return list(conditions or [])
    reason = "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable"
    message = f"Deployment {'has' if enough else 'does not have'} minimum availability."
    return with_condition(conditions, "Available", enough, reason, message, lastUpdateTime=timestamp())


def _replica_failure(conditions: list[Condition], replica_sets: list[Object]) -> list[Condition]:
    for entry in replica_sets:
        failure = condition((entry.get("status") or {}).get("conditions"), "ReplicaFailure")
        if failure is None:
            continue
        present = condition(conditions, "ReplicaFailure")
        if present and present.get("message") == failure["message"]:
            return conditions
        return with_condition(
            conditions,
            "ReplicaFailure",
            True,
            failure["reason"],
            failure["message"],
            lastUpdateTime=timestamp(),
        )
    return without_condition(conditions, "ReplicaFailure")
