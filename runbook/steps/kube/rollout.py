"""The rollout of a Deployment: how far it is, and how to wait for it without waiting for what cannot come."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from runbook.clients.kube.objects import Object, Reference
from runbook.engine.errors import FailedError, PassingError
from runbook.steps.context import Context
from runbook.steps.kube.cluster import client
from runbook.steps.kube.diagnosis import Diagnosis, diagnose
from runbook.steps.kube.removal import pauses

_LONGEST_WATCH: Final = 5


@dataclass(frozen=True)
class Progress:
    """How far a rollout is.

    Args:
        done: every Pod is of the wanted template, and ready.
        text: the same in words.
    """

    done: bool
    text: str


def progress(deployment: Object) -> Progress:
    """Judge a Deployment by its status, as `kubectl rollout status` does."""
    status = deployment.get("status", {})
    wanted = deployment["spec"].get("replicas", 1)
    updated, ready = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    name = deployment["metadata"]["name"]
    if status.get("observedGeneration", -1) < deployment["metadata"].get("generation", 0):
        return Progress(False, f"{name}: not seen by the controller yet")
    if updated < wanted:
        return Progress(False, f"{name}: {updated} of {wanted} Pods are of the new template")
    if status.get("replicas", 0) > updated:
        return Progress(False, f"{name}: {status['replicas'] - updated} old Pods are ending")
    return Progress(ready >= wanted, f"{name}: {ready} of {wanted} Pods ready")


def available(deployment: Object) -> bool:
    """Tell whether any of a Deployment's Pods takes requests."""
    return bool(deployment.get("status", {}).get("availableReplicas", 0))


def wait(context: Context, reference: Reference) -> None:
    """Wait until a Deployment is rolled out; end early where its Pods cannot come up.

    Raises:
        FailedError: it cannot, or not in `server.ready_timeout_s`; the message holds the evidence.
    """
    kube = client(context)
    limit = context.variables.server.ready_timeout_s
    deadline = time.monotonic() + limit
    trouble = Trouble(context)
    for pause in pauses():
        present = kube.get(reference)
        if present is None:
            raise FailedError(f"{reference} was deleted while it was awaited")
        now = progress(present)
        if now.done:
            return
        found = diagnose(kube, present)
        context.report.condition(found.condition or now.text)
        trouble.judge(found)
        if time.monotonic() > deadline:
            raise FailedError(f"{now.text} after {limit} s; {found.evidence or found.condition}")
        _watch(context, present, pause)


class Trouble:
    """Ends a wait on what does not pass, and on what did not pass in its time.

    Args:
        context: gives the scale of time.
    """

    def __init__(self, context: Context) -> None:
        variables = context.variables
        self._scale = variables.rehearsal.time_scale if variables.provider == "rehearsal" else 1.0
        self._since: dict[str, float] = {}

    def judge(self, found: Diagnosis) -> None:
        """Compare a diagnosis with how long it has been so.

        Raises:
            FailedError: it is final, or has lasted too long.
        """
        if found.patience_seconds is None:
            self._since.clear()
            return
        patience = found.patience_seconds * self._scale
        if found.patience_seconds:
            patience = max(patience, 3.0)
        self._since = {found.cause: self._since.get(found.cause, time.monotonic())}
        if time.monotonic() - self._since[found.cause] >= patience:
            raise FailedError(found.evidence, remedy=found.remedy)


def _watch(context: Context, deployment: Object, pause: float) -> None:
    """Wait for the next change of a Deployment, or some time."""
    context.pause(min(pause, 0.2))
    if pause < 1:
        return
    seconds = min(int(pause), _LONGEST_WATCH)
    reference = Reference(
        "apps/v1", "Deployment", deployment["metadata"]["namespace"], deployment["metadata"]["name"]
    )
    try:
        for _ in client(context).watch(reference, deployment["metadata"]["resourceVersion"], seconds):
            return
    except PassingError:  # the version is too old, or the connection broke: the caller looks anew
        context.pause(pause)
