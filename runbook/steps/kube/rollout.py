"""The rollout of a Deployment: how far it is, and how to wait for it without waiting for what cannot come."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

from runbook.clients.kube.objects import Object, Reference
from runbook.clients.kube.watching import View, viewing
from runbook.engine.errors import FailedError
from runbook.steps.context import Context
from runbook.steps.kube.cluster import client
from runbook.steps.kube.diagnosis import diagnose
from runbook.steps.kube.patience import Patience
from runbook.steps.kube.paused import refuse_paused
from runbook.steps.kube.polling import poll, until_news
from runbook.steps.kube.revisions import mark_ready, with_way_back
from runbook.steps.kube.startup import Startup
from runbook.steps.kube.supply import of_tpus
from runbook.steps.kube.trouble import Diagnosis
from runbook.steps.kube.waiting_line import WaitingLine


@dataclass(frozen=True)
class Progress:
    """How far a rollout is.

    Args:
        done: every Pod is of the wanted template, and ready.
        text: the same in words.
        replaced: every Pod is of the wanted template.
    """

    done: bool
    text: str
    replaced: bool = False


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
    return Progress(ready >= wanted, f"{name}: {ready} of {wanted} Pods ready", replaced=True)


def available(deployment: Object) -> bool:
    """Tell whether any of a Deployment's Pods takes requests."""
    return bool(deployment.get("status", {}).get("availableReplicas", 0))


def require_rolling(context: Context, deployment: Object) -> None:
    """Make sure that Pods which are not of the wanted template are being replaced.

    Raises:
        UserError: somebody paused the Deployment.
    """
    if not progress(deployment).replaced:
        refuse_paused(context, deployment)


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
        UserError: somebody paused it.
    """
    limit = context.variables.server.ready_timeout_s
    try:
        _followed(context, reference, limit)
    except FailedError as error:
        raise with_way_back(context, reference, error) from error
    mark_ready(context, reference)


def _followed(context: Context, reference: Reference, limit: float) -> None:
    with viewing(client(context)) as view, closing(Startup(client(context), view.tell)) as startup:
        rollout = _Rollout(context, reference, view, startup)
        poll(
            context,
            rollout.look,
            limit_seconds=limit,
            late=lambda: f"{reference} is not ready after {limit} s: {rollout.last}",
            rest=until_news(context, view),
        )


class _Rollout:
    """A Deployment that is awaited.

    Args:
        context: of the step that waits.
        reference: the Deployment.
        view: of the cluster.
        startup: how far the server is.
    """

    def __init__(self, context: Context, reference: Reference, view: View, startup: Startup) -> None:
        self._context = context
        self._reference = reference
        self._view = view
        self._startup = startup
        self._patience = Patience(context)
        self._supply = of_tpus(context)
        self._line = WaitingLine(context.report)
        self.last = "it was never seen"

    def look(self) -> bool | None:
        """Look at the Deployment; where it is not done, tell why."""
        present = self._view.get(self._reference)
        if present is None:
            raise FailedError(f"{self._reference} was deleted while it was awaited")
        now = progress(present)
        if now.done:
            return True
        require_rolling(self._context, present)
        self.last = now.text
        found = diagnose(self._view, present, supply=self._supply)
        self.last = f"{now.text}; {found.evidence or found.condition}"
        self._line.tell(now.text, self._pod(present, found.pod), self._said(present, found))
        self._patience.judge(found)
        return None

    def _said(self, present: Object, found: Diagnosis) -> str:
        """Give what matters most: trouble with the API server, a milestone, or the last event."""
        if self._view.trouble:
            return f"asking again: {self._view.trouble}"
        pod = self._pod(present, found.pod)
        milestone = self._startup.of(pod) if pod is not None else ""
        return milestone if milestone and not found.cause else found.condition

    def _pod(self, present: Object, name: str) -> Object | None:
        namespace = present["metadata"]["namespace"]
        pods = self._view.list("v1", "Pod", namespace, labels=present["spec"]["selector"]["matchLabels"])
        return next((pod for pod in pods if pod["metadata"]["name"] == name), None)
