"""The rollout of a Deployment: how far it is, and how to wait for it without waiting for what cannot come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from runbook.clients.kube.objects import Object, Reference
from runbook.engine.errors import FailedError, PassingError
from runbook.steps.context import Context
from runbook.steps.kube.cluster import client
from runbook.steps.kube.diagnosis import diagnose
from runbook.steps.kube.patience import Patience, grows
from runbook.steps.kube.polling import poll
from runbook.steps.kube.revisions import mark_ready, with_way_back

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


def keep_mark(context: Context, present: Object) -> None:
    """Mark a Deployment's revision as one that was ready before another takes its place.

    Its own rollout did that, unless nobody of this project saw its end.

    Args:
        present: any object that is about to be changed.
    """
    if present["kind"] == "Deployment" and not context.check and progress(present).done:
        mark_ready(context, Reference.to(present))


def wait(context: Context, reference: Reference) -> None:
    """Wait until a Deployment is rolled out; end early where its Pods cannot come up.

    Raises:
        FailedError: it cannot, or not in `server.ready_timeout_s`; the message holds the evidence, and what
            serves now; the remedy how to go back.
    """
    rollout = _Rollout(context, reference)
    limit = context.variables.server.ready_timeout_s
    try:
        poll(
            context,
            rollout.look,
            limit_seconds=limit,
            late=lambda: f"{reference} is not ready after {limit} s: {rollout.last}",
            rest=rollout.rest,
        )
    except FailedError as error:
        raise with_way_back(context, reference, error) from error
    mark_ready(context, reference)


class _Rollout:
    """A Deployment that is awaited.

    Args:
        context: of the step that waits.
        reference: the Deployment.
    """

    def __init__(self, context: Context, reference: Reference) -> None:
        self._context = context
        self._reference = reference
        self._patience = Patience(context)
        self._version = ""
        self.last = "it was never seen"

    def look(self) -> bool | None:
        """Read the Deployment; where it is not done, tell why."""
        kube = client(self._context)
        present = kube.get(self._reference)
        if present is None:
            raise FailedError(f"{self._reference} was deleted while it was awaited")
        self._version = present["metadata"]["resourceVersion"]
        now = progress(present)
        if now.done:
            return True
        self.last = now.text
        found = diagnose(kube, present, grows=grows(self._context))
        self.last = f"{now.text}; {found.evidence or found.condition}"
        self._context.report.condition(found.condition or now.text)
        self._patience.judge(found)
        return None

    def rest(self, seconds: float) -> None:
        """Wait for the Deployment's next change, or some time."""
        self._context.pause(min(seconds, 0.2))
        if seconds < 1:
            return
        watched = min(int(seconds), _LONGEST_WATCH)
        try:
            for _ in client(self._context).watch(self._reference, self._version, watched):
                return
        except PassingError:  # the version is too old, or the connection broke: the next look is anew
            self._context.pause(seconds)
