"""The benchmark has ended, and its result is sound and kept.

Section 5.2 of the guide. The Job's log is followed to its end; the result is refused where requests failed
or answers were cut short, as the client's exit code tells neither. It is kept in .runs/RUN/bench.json, the
log beside.
"""

from __future__ import annotations

import json
import time
from functools import partial
from pathlib import Path
from typing import Any

from runbook.clients.kube.objects import Object, Reference
from runbook.engine.change import Action, FactKey, StepResult
from runbook.engine.errors import FailedError, MissingError, Place
from runbook.engine.manual import Manual
from runbook.engine.shell import with_value
from runbook.steps.bench.figures import Figures, complaints, read_figures
from runbook.steps.bench.following import follow
from runbook.steps.bench.jobs import JOBS, asked_for, benchmark_labels, ended, jobs
from runbook.steps.context import Context, StepArguments
from runbook.steps.gke import reads
from runbook.steps.kube.cluster import is_planned, kubectl
from runbook.steps.kube.workload import job_name

REHEARSED = "REHEARSAL: stand-ins measured each other on this machine; no figure here is a TPU's."


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
        partial(_conclude, context, reference, kept),
        refreshes=[JOBS],
        command=_command(context, reference.short),
    )
    if context.check:
        return f"{reference} {ended(job) or 'is running'}"
    figures: Figures = context.facts.read(kept, partial(_read_again, context))
    return f"{figures.completed} requests, {figures.output_throughput:.2f} output tokens/s: {_file(context)}"


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


def _conclude(context: Context, reference: Reference, kept: FactKey) -> None:
    began = time.monotonic()
    log, job = follow(context, reference)
    folder = context.home / ".runs" / context.run_id
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    log_file = folder / "bench.log"
    log_file.write_text(log, encoding="utf-8")
    figures = read_figures(log)
    if figures is None:
        raise FailedError(
            f"{reference} {_end(job)} without a result; its last lines:\n{_tail(log)}",
            place=Place.in_file(log_file),
        )
    wrong = complaints(
        figures, prompts=asked_for(job, "--num-prompts"), output_len=asked_for(job, "-output-len")
    )
    if ended(job) != "Complete":
        wrong.append(f"the Job {_end(job)}")
    document = _document(context, reference, job, figures, wrong) | {"followed_s": time.monotonic() - began}
    (folder / "bench.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    context.report.output(_shown(context, figures))
    if wrong:
        raise FailedError(f"the result is no measurement: {'; '.join(wrong)}", place=Place.in_file(log_file))
    context.facts.read(kept, lambda: figures)


def _document(
    context: Context, reference: Reference, job: Object, figures: Figures, wrong: list[str]
) -> dict[str, Any]:
    """Put together what is kept: the client's own JSON, and what is needed to compare like with like."""
    container = job["spec"]["template"]["spec"]["containers"][0]
    tpu = context.variables.tpu
    return {
        **figures.values,
        "run_id": context.run_id,
        "environment": context.environment,
        "rehearsal": context.variables.provider == "rehearsal",
        "verdict": wrong or "ok",
        "job": reference.name,
        "image": container["image"],
        "arguments": container["args"],
        "server_image": context.variables.server.image,
        "server_flags": dict(context.variables.server.flags),
        "tpu": {"accelerator": tpu.accelerator, "topology": tpu.topology, "chips": tpu.chips},
        "full_precision": figures.precise,
    }


def _shown(context: Context, figures: Figures) -> str:
    if context.variables.provider != "rehearsal":
        return figures.block
    return f"{REHEARSED}\n{figures.block}\n{REHEARSED}"


def _end(job: Object) -> str:
    for condition in job.get("status", {}).get("conditions", ()):
        if condition["type"] == "Failed" and condition["status"] == "True":
            return f"failed ({condition.get('reason')}: {condition.get('message')})"
    return "ended" if ended(job) else "was deleted"


def _tail(log: str) -> str:
    lines = [line for line in log.replace("\r", "\n").splitlines() if line.strip()]
    return "\n".join(f"  {line[:200]}" for line in lines[-12:])


def _file(context: Context) -> Path:
    return context.home / ".runs" / context.run_id / "bench.json"


def _read_again(context: Context) -> Figures:
    """Read what was kept, where the fact was forgotten meanwhile."""
    document = json.loads(_file(context).read_text(encoding="utf-8"))
    return Figures("", document, document["full_precision"])
