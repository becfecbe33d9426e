"""The benchmark has ended, and its result is sound and kept.

Section 5.2 of the guide. The Job's log is followed to its end, read and judged: the client's exit code does
not tell that requests failed or answers were cut short. What is no measurement is kept too, with its verdict,
and the step fails. It is in .runs/RUN/bench.json, the log beside.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from runbook.clients.kube.objects import Object, Reference
from runbook.engine.change import Action, FactKey, StepResult
from runbook.engine.errors import FailedError, InterruptedRunError, MissingError, Place
from runbook.engine.manual import Manual
from runbook.engine.shell import with_value
from runbook.measurement.document import Document, Verdict, file_name, read, write
from runbook.measurement.reading import Reading, read_result
from runbook.measurement.server import Look, serving
from runbook.measurement.verdict import Witness, judge
from runbook.steps.bench import rehearsed
from runbook.steps.bench.endings import failed, interrupted
from runbook.steps.bench.following import follow
from runbook.steps.bench.jobs import JOBS, ahead, benchmark_labels, ended, jobs
from runbook.steps.bench.keeping import asked, document
from runbook.steps.bench.leaving import leave
from runbook.steps.bench.served import Served, served_by
from runbook.steps.bench.sharing import share
from runbook.steps.bench.witness import look, seen_before, server_pods
from runbook.steps.context import Context, StepArguments
from runbook.steps.gke import reads
from runbook.steps.kube.cluster import client, is_planned, kubectl
from runbook.steps.kube.workload import job_name

_SOON_SECONDS: Final = 60.0
"""A followed Job's end is seen at once; its log may take so long to fetch."""


class Arguments(StepArguments):
    """What `with:` may say: nothing."""


def run(arguments: Arguments, context: Context) -> StepResult:  # noqa: ARG001 - every step takes its arguments
    """Follow this run's Job, or the newest one.

    Raises:
        MissingError: there is no benchmark to look at.
        FailedError: it failed, or its result is not sound.
    """
    job = _job(context)
    reference = Reference.to(job)
    kept: FactKey = ("bench", "result", reference.name)
    yield Action(
        f"{reference}",
        partial(_conclude, context, job, kept),
        refreshes=[JOBS],
        command=_command(context, reference.short),
    )
    if context.check:
        return f"{reference} {ended(job) or 'is running'}"
    found: Document = context.facts.read(kept, lambda: read(_file(context)))
    result = found.result
    return (
        f"{result['completed']} requests, {result['output_throughput']:.2f} output tokens/s: {_file(context)}"
    )


def manual(arguments: Arguments, context: Context) -> Manual:  # noqa: ARG001 - every step takes its arguments
    """Tell how to follow the newest benchmark by hand."""
    newest = ("--sort-by=.metadata.creationTimestamp", "--output=jsonpath={.items[-1:].metadata.name}")
    name = "JOB"
    return Manual(
        commands=[with_value(name, [*_listed(context), *newest], _command(context, f"job/${name}"))],
        check=[_listed(context)],
        note="The result is the block at the log's end. Nothing is kept, and there is nothing to undo: only "
        "the step writes .runs/RUN/bench.json, which `inv history` lists.",
    )


def _command(context: Context, job: str) -> list[str]:
    return kubectl(context, "logs", "-f", job, f"--namespace={context.variables.kube.namespace}")


def _listed(context: Context) -> list[str]:
    """Write the command that lists this environment's benchmarks."""
    selector = ",".join(f"{name}={value}" for name, value in benchmark_labels(context).items())
    return kubectl(
        context, "get", "jobs", f"--selector={selector}", f"--namespace={context.variables.kube.namespace}"
    )


def _job(context: Context) -> Object:
    if context.variables.provider != "kubeconfig" and not is_planned(context):
        reads.require_cluster(context)
    found = jobs(context)
    if not found:
        raise MissingError("there is no benchmark in the cluster", supplied_by="bench.job")
    mine = [job for job in found if job["metadata"]["name"] == job_name(context)]
    return (mine or found)[-1]


def _conclude(context: Context, job: Object, kept: FactKey) -> None:
    reference = Reference.to(job)
    try:
        log, job = follow(context, job)
    except InterruptedRunError as error:
        raise leave(context, reference) from error
    log_file = _file(context).with_suffix(".log")
    log_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    log_file.write_text(log, encoding="utf-8")
    reading = read_result(log)
    witness = _witness(context, job)
    served = _served(context, witness)
    verdict = judge(reading, asked(job, served), witness)
    found = document(context, job, reading, verdict, served)
    write(found, _file(context))
    share(context, found, _file(context))
    if reading.block:
        context.report.output(_shown(context, reading.block))
    if not verdict.ok:
        raise _refused(reference, reading, verdict, log_file, log)
    context.facts.read(kept, lambda: found)


def _witness(context: Context, job: Object) -> Witness:
    failure = failed(job)
    interruption = interrupted(client(context), job)
    return Witness(
        interruption=interruption,
        before=seen_before(job),
        after=_seen_after(context, job),
        ahead=ahead(job),
        job_failed="" if interruption else failure,
    )


def _seen_after(context: Context, job: Object) -> Look:
    """Look at the server after a Job; what it has counted long after that is not the Job's alone."""
    found = look(context)
    ended_at = job.get("status", {}).get("completionTime")
    if ended_at is None:
        return found
    since = datetime.now(UTC) - datetime.fromisoformat(ended_at)
    return replace(found, counters=None) if since.total_seconds() > _SOON_SECONDS else found


def _served(context: Context, witness: Witness) -> Served:
    measured = serving(witness.before, witness.after) if witness.after else frozenset()
    pods = [pod for pod in server_pods(context) if pod["metadata"]["name"] in measured]
    return served_by(pods, context.variables.server.name)


def _refused(
    reference: Reference, reading: Reading, verdict: Verdict, log_file: Path, log: str
) -> FailedError:
    worst = verdict.findings[0]
    what = f"the run is no measurement ({verdict.name}): {worst.evidence}"
    if not reading.complete:
        what = f"{reference}: no result ({verdict.name}): {worst.evidence}; its last lines:\n{_tail(log)}"
    return FailedError(what, place=Place.in_file(log_file), remedy=worst.remedy)


def _shown(context: Context, block: str) -> str:
    if context.variables.provider != "rehearsal":
        return block
    mark = rehearsed.sentence(context.variables)
    return f"{mark}\n{block}\n{mark}"


def _tail(log: str) -> str:
    lines = [line for line in log.replace("\r", "\n").splitlines() if line.strip()]
    return "\n".join(f"  {line[:200]}" for line in lines[-12:])


def _file(context: Context) -> Path:
    return context.home / ".runs" / context.run_id / file_name(context.round)
