"""The highest load that keeps the objective is found: a series of benchmarks, then bisection.

Beyond the guide. Each load is a benchmark as by sections 5.1 and 5.2, a Job and a document of its own; only
one that counts as a measurement is a point. One that was cut short is gone on with: `.runs/RUN/sweep.json`.
"""

from __future__ import annotations

from pydantic import Field

from runbook.engine.change import StepResult
from runbook.engine.errors import UserError
from runbook.engine.manual import Manual
from runbook.measurement.sweep import Sweep, write_sweep
from runbook.steps.bench import job, result
from runbook.steps.bench.jobs import ended
from runbook.steps.bench.sweeping import (
    begun,
    concluded,
    file_of,
    left_job,
    marked,
    measured,
    measuring,
    next_of,
    search_of,
    with_point,
)
from runbook.steps.context import Context, StepArguments
from runbook.steps.kube.drafts import validate_template


class Arguments(StepArguments):
    """What `with:` may say."""

    template: str = Field(description="file of manifests/, such as vllm-benchmark.yaml.j2")


def validate(arguments: Arguments, context: Context) -> None:
    """Refuse a sweep that could find nothing, before the line begins."""
    variables = context.variables
    if not variables.slo.limits:
        raise UserError("a sweep needs an objective", remedy="such as --slo ttft:2000,tpot:50")
    if variables.bench.request_rate is not None:
        raise UserError(
            "a sweep varies the requests at the same time, and bench.request_rate holds them back",
            remedy="leave it null, and choose a workload without one: --set bench.workload=guide",
        )
    if len(variables.sweep.concurrency) > variables.sweep.max_runs:
        raise UserError(
            f"the series has {len(variables.sweep.concurrency)} loads, and sweep.max_runs is "
            f"{variables.sweep.max_runs}",
            remedy="fewer loads, or more runs",
        )
    validate_template(context, arguments.template)


def run(arguments: Arguments, context: Context) -> StepResult:
    """Measure one load after the other until the search has come to its end.

    Raises:
        MissingError: there is no server that answers.
        FailedError: a load could not be measured; what was measured is kept.
    """
    search = search_of(context.variables)
    sweep = begun(context)
    if sweep.points and not file_of(context).exists():
        told = ", ".join(str(item.concurrency) for item in sweep.curve)
        context.report.condition(f"going on with an earlier sweep: measured at {told} requests at once")
    while (load := next_of(sweep, search)) is not None:
        at = measuring(context, sweep, load)
        left = left_job(sweep, load, at)
        sweep = marked(sweep, load, at, left)
        if context.check:
            yield from job.run(job.Arguments(template=arguments.template), at)
            return f"at most {search.most_runs - len(sweep.points)} runs, the first with {load} at once"
        write_sweep(sweep, file_of(context))
        if not (left and ended(left)):
            yield from job.run(job.Arguments(template=arguments.template), at)
        yield from result.run(result.Arguments(), at)
        sweep = with_point(sweep, measured(at), search)
        write_sweep(sweep, file_of(context))
    if not (sweep.finished or context.check):
        write_sweep(concluded(sweep), file_of(context))
    return _found(sweep)


def manual(arguments: Arguments, context: Context) -> Manual:  # noqa: ARG001 - every step takes its arguments
    """Tell how to measure the series by hand."""
    told = context.variables.sweep
    loads = [(load, max(load * told.waves, told.min_prompts)) for load in sorted(told.concurrency)]
    return Manual(
        commands=[
            [
                "inv",
                "bench",
                "--set",
                f"bench.max_concurrency={load}",
                "--set",
                f"bench.num_prompts={prompts}",
            ]
            for load, prompts in loads
        ],
        check=[["inv", "history"]],
        note="Then halve between the highest load that keeps the objective and the lowest that does not. "
        "There is nothing to undo.",
    )


def _found(sweep: Sweep) -> str:
    if sweep.best is None:
        return f"no load keeps the objective, of {len(sweep.points)} that were measured"
    return f"{sweep.best.concurrency} requests at once keep the objective; {len(sweep.points)} runs"
