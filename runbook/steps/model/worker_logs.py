"""The Pods that move the model, followed to their Job's end: what they tell, and what keeps them from it."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from runbook.clients.kube.objects import Object, Reference
from runbook.clients.kube.watching import View, viewing
from runbook.engine.errors import CredentialsError, FailedError, PassingError, RunbookError
from runbook.steps.bench.jobs import ended
from runbook.steps.context import Context
from runbook.steps.kube.cluster import client
from runbook.steps.kube.creation import diagnose_absence
from runbook.steps.kube.diagnosis import diagnose_pods
from runbook.steps.kube.patience import Patience
from runbook.steps.kube.polling import poll, until_news
from runbook.steps.kube.supply import Supply, of_tpus
from runbook.steps.model.pod_log import PodLog
from runbook.steps.model.refused import Refusals
from runbook.transfer.session import StoredObject
from runbook.transfer.telling import Listener

_LAST_LINES: Final = 15

Ending = tuple[Mapping[str, StoredObject], RunbookError | None]
"""What was moved, as far as it was heard, and what ended the transfer before its end."""


def follow(context: Context, job: Reference) -> Ending:
    """Follow the Pods to the end of their Job, however long the model takes.

    Args:
        job: it runs.
    """
    with viewing(client(context)) as view:
        followed = _Workers(context, job, view)
        return poll(context, followed.look, limit_seconds=math.inf, late=str, rest=until_news(context, view))


class _Workers:
    """The Pods of one Job. It is the watcher of what they tell.

    Args:
        context: of the step that follows.
        job: whose Pods they are.
        view: of the cluster.
    """

    def __init__(self, context: Context, job: Reference, view: View) -> None:
        self._context = context
        self._job = job
        self._view = view
        self._patience = Patience(context)
        self._refusals = Refusals(context)
        self._listener = Listener(self)
        self._logs: dict[str, PodLog] = {}
        self._failure: RunbookError | None = None
        self._told: RunbookError | None = None
        self._other_lines: deque[str] = deque(maxlen=_LAST_LINES)

    def transferred(self, name: str, done: int, total: int, retries: int) -> None:
        """Hand one file's progress on: whoever was refused before is so no more."""
        self._refusals.over()
        self._context.report.transferred(name, done, total, retries)

    def warning(self, text: str) -> None:
        """Hand on what the operator should know."""
        self._context.report.warning(text)

    def look(self) -> Ending | None:
        """Hear what is new; give the end where the Job has come to it, or never will."""
        job = self._view.get(self._job)
        if job is None:
            return self._end(FailedError(f"{self._job} was deleted"))
        how = ended(job)
        pods = self._pods(last=how is not None)
        for pod in pods:
            self._hear(pod)
        if how == "Complete":
            return self._end(self._failure)
        failure = self._of_job(job) if how else self._trouble(job, pods)
        return self._end(failure) if failure else None

    def _end(self, failure: RunbookError | None) -> Ending:
        return self._listener.moved, failure

    def _pods(self, *, last: bool) -> list[Object]:
        """List the Pods; at the Job's end all of them, as one watch may be behind another."""
        found = {"batch.kubernetes.io/job-name": self._job.name}
        reader = client(self._context) if last else self._view
        return reader.list("v1", "Pod", self._job.namespace, labels=found)

    def _hear(self, pod: Object) -> None:
        log = self._logs.setdefault(pod["metadata"]["name"], PodLog(client(self._context), pod))
        for line in log.news(pod):
            try:
                self._listener.hear(line)
            except PassingError as error:
                self.warning(f"{log.pod}: {error.message}; it is started again")
                self._told = FailedError(error.message, place=error.place, remedy=error.remedy)
            except CredentialsError as error:
                self._told = self._refusals.take(error)
            except RunbookError as error:
                self._failure = self._failure or error
            if not line.startswith("{"):
                self._other_lines.append(line)

    def _of_job(self, job: Object) -> RunbookError:
        """Tell why the Job has failed: what a Pod told last, or printed last."""
        if told := self._failure or self._told:
            return told
        condition = next(item for item in job["status"]["conditions"] if item["type"] == "Failed")
        lines = "".join(f"\n  {line}" for line in self._other_lines)
        return FailedError(f"{self._job} failed: {condition.get('message', '')}{lines}")

    def _trouble(self, job: Object, pods: list[Object]) -> RunbookError | None:
        """Tell what will not pass: a refusal, or Pods none of which gets to run."""
        try:
            if refusal := self._refusals.final():
                return refusal
            if not any(_phase(pod) == "Running" for pod in pods):
                self._judge(job, [pod for pod in pods if _phase(pod) == "Pending"])
        except FailedError as error:
            return error
        return None

    def _judge(self, job: Object, waiting: list[Object]) -> None:
        made = self._context.variables.cluster.mode == "autopilot"
        supply = of_tpus(self._context) if made else Supply()
        found = diagnose_pods(self._view, waiting, supply=supply) or diagnose_absence(self._view, job)
        if found.cause == "image":
            found = replace(found, remedy="see: inv vars transfer.image")
        self._context.report.condition(found.condition)
        self._patience.judge(found)


def _phase(pod: Object) -> str:
    return str(pod.get("status", {}).get("phase", "Pending"))
