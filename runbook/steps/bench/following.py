"""A Job followed to its end through lost connections, with its progress told on the way."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Final

from runbook.clients.kube.objects import Object, Reference
from runbook.clients.kube.watching import View, viewing
from runbook.engine.errors import FailedError
from runbook.measurement.progress import Pulse, told
from runbook.steps.bench.client_log import ClientLog
from runbook.steps.bench.jobs import ahead, ended
from runbook.steps.bench.keeping import asked
from runbook.steps.bench.server_load import ServerLoad
from runbook.steps.bench.witness import seen_before
from runbook.steps.context import Context
from runbook.steps.kube.cluster import client
from runbook.steps.kube.creation import diagnose_absence
from runbook.steps.kube.diagnosis import diagnose_pods
from runbook.steps.kube.patience import Patience
from runbook.steps.kube.polling import poll, until_news
from runbook.steps.kube.supply import Supply, of_tpus

_TOLD_SECONDS: Final = 60.0
"""The Job's own deadline is bench.timeout_s: that long it may take until the Job says so."""


def follow(context: Context, job: Object) -> tuple[str, Object]:
    """Wait for a Job's end.

    Args:
        job: as it was seen last.

    Returns:
        its log, and the Job as it was last.

    Raises:
        FailedError: its Pod cannot start, or the deadline of `bench.timeout_s` has passed.
        InterruptedRunError: the operator ended the run; the Job goes on.
    """
    limit = context.variables.bench.timeout_s + _TOLD_SECONDS
    pulse = _pulse(job)
    with (
        viewing(client(context)) as view,
        closing(ClientLog(client(context), view.tell)) as log,
        closing(ServerLoad(context, pulse, view.tell)) as load,
    ):
        following = _Following(context, job, view, log, lambda: _line(context, pulse, log, load))
        return poll(
            context,
            following.look,
            limit_seconds=limit,
            late=lambda: f"{Reference.to(job)} still runs after {limit} s: {following.last}",
            rest=until_news(context, view),
        )


def _pulse(job: Object) -> Pulse:
    before = seen_before(job)
    return Pulse(before.counters if before else None, ahead(job), asked(job))


def _line(context: Context, pulse: Pulse, log: ClientLog, load: ServerLoad) -> str:
    """Say how far it is; before the first request, what the client said last."""
    if log.said and not (log.bar or pulse.share):
        return log.said
    rehearsal = context.variables.provider == "rehearsal"
    return told(pulse, log.bar, load.logged, rehearsal=rehearsal)


class _Following:
    """A Job that is followed.

    Args:
        context: of the step that follows.
        job: as it was seen last.
        view: of the cluster.
        log: of its client.
        line: says how far it is.
    """

    def __init__(
        self, context: Context, job: Object, view: View, log: ClientLog, line: Callable[[], str]
    ) -> None:
        self._context = context
        self._reference = Reference.to(job)
        self._view = view
        self._log = log
        self._line = line
        self._patience = Patience(context)
        self._job: Object | None = None
        self.last = "nothing was seen of it"

    def look(self) -> tuple[str, Object] | None:
        """Give the whole log and the Job once it has ended or is gone; else tell how far it is."""
        job = self._view.get(self._reference)
        if job is None:
            if self._job is None:
                raise FailedError(f"{self._reference} was deleted")
            return self._log.text, self._job
        self._job = job
        pods = self._pods()
        pod = max(pods, key=lambda item: str(item["metadata"]["creationTimestamp"]), default=None)
        if ended(job):
            return (_whole_log(self._context, pod) if pod else "") or self._log.text, job
        if pod and pod.get("status", {}).get("phase") != "Pending":
            self._log.of(pod)
            self._tell(self._line())
        else:
            self._judge_pending(job, pods)
        return None

    def _pods(self) -> list[Object]:
        reference = self._reference
        return self._view.list("v1", "Pod", reference.namespace, labels={"job-name": reference.name})

    def _tell(self, line: str) -> None:
        text = f"asking again: {self._view.trouble}" if self._view.trouble else line
        if text and text != self.last:
            self.last = text
            self._context.report.condition(text)

    def _judge_pending(self, job: Object, pods: list[Object]) -> None:
        variables = self._context.variables
        made = variables.cluster.mode == "autopilot" or variables.bench.placement == "tpu-node"
        supply = of_tpus(self._context) if made else Supply()
        found = diagnose_pods(self._view, pods, supply=supply) or diagnose_absence(self._view, job)
        self._tell(found.condition)
        self.last = found.evidence or found.condition
        self._patience.judge(found)


def _whole_log(context: Context, pod: Object) -> str:
    metadata = pod["metadata"]
    container = pod["spec"]["containers"][0]["name"]
    return client(context).logs(metadata["namespace"], metadata["name"], container)
