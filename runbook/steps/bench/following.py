"""A Job's log, followed to the Job's end through lost connections, with its progress told on the way."""

from __future__ import annotations

from typing import Final

from runbook.clients.kube.objects import Object, Reference
from runbook.engine.errors import FailedError, PassingError
from runbook.measurement.lines import last_progress
from runbook.steps.bench.jobs import ended
from runbook.steps.context import Context
from runbook.steps.kube.cluster import client
from runbook.steps.kube.creation import diagnose_absence
from runbook.steps.kube.diagnosis import diagnose_pods
from runbook.steps.kube.patience import Patience
from runbook.steps.kube.polling import poll
from runbook.steps.kube.supply import Supply, of_tpus

_QUIET_SECONDS: Final = 5.0
_TOLD_SECONDS: Final = 60.0
"""The Job's own deadline is bench.timeout_s: that long it may take until the Job says so."""

_CARRIED: Final = ("bench.json:", "-----")
"""How lines begin that carry the saved result; they are not for people."""


def follow(context: Context, reference: Reference) -> tuple[str, Object]:
    """Wait for a Job's end.

    Returns:
        its log, and the Job as it was last.

    Raises:
        FailedError: its Pod cannot start, or the deadline of `bench.timeout_s` has passed.
    """
    limit = context.variables.bench.timeout_s + _TOLD_SECONDS
    following = _Following(context, reference)
    return poll(
        context,
        following.look,
        limit_seconds=limit,
        late=lambda: f"{reference} still runs after {limit} s: {following.last}",
    )


class _Following:
    """A Job that is followed.

    Args:
        context: of the step that follows.
        reference: the Job.
    """

    def __init__(self, context: Context, reference: Reference) -> None:
        self._context = context
        self._reference = reference
        self._patience = Patience(context)
        self._job: Object | None = None
        self._log = ""
        self.last = "nothing was seen of it"

    def look(self) -> tuple[str, Object] | None:
        """Read on; give the whole log and the Job once it has ended or is gone."""
        job = client(self._context).get(self._reference)
        if job is None:
            if self._job is None:
                raise FailedError(f"{self._reference} was deleted")
            return self._log, self._job
        self._job = job
        pods = _pods(self._context, job)
        pod = max(pods, key=lambda item: str(item["metadata"]["creationTimestamp"]), default=None)
        if ended(job):
            return (_whole_log(self._context, pod) if pod else self._log), job
        if pod and pod.get("status", {}).get("phase") != "Pending":
            self.last = "its Pod runs"
            self._log = _read_on(self._context, pod, self._log)
        else:
            self._judge_pending(job, pods)
        return None

    def _judge_pending(self, job: Object, pods: list[Object]) -> None:
        kube, variables = client(self._context), self._context.variables
        made = variables.cluster.mode == "autopilot" or variables.bench.placement == "tpu-node"
        supply = of_tpus(self._context) if made else Supply()
        found = diagnose_pods(kube, pods, supply=supply) or diagnose_absence(kube, job)
        self.last = found.evidence or found.condition
        self._context.report.condition(found.condition)
        self._patience.judge(found)


def _pods(context: Context, job: Object) -> list[Object]:
    namespace, name = job["metadata"]["namespace"], job["metadata"]["name"]
    return client(context).list("v1", "Pod", namespace, labels={"job-name": name})


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
    progress = last_progress([line])
    if progress is not None:
        context.report.condition(f"{progress.done} of {progress.total} requests [{progress.times}]")
    elif line.strip() and not line.startswith(_CARRIED):
        context.report.condition(line.strip()[:120])
