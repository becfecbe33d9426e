"""One load of a sweep as a benchmark of its own, and what of an earlier sweep can be gone on with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from runbook.clients.kube.objects import Object
from runbook.config.schema import Variables
from runbook.engine.report import StepReport
from runbook.measurement.document import file_name, read
from runbook.measurement.search import Search, bracket, next_load
from runbook.measurement.sweep import (
    FILE_NAME,
    Best,
    Sweep,
    SweepPoint,
    UnderWay,
    last_sweep,
    point,
    read_sweep,
)
from runbook.steps.bench.jobs import jobs
from runbook.steps.bench.served import configuration, ready_replicas
from runbook.steps.context import Context
from runbook.steps.kube.server import require_deployment
from runbook.steps.kube.workload import job_name

_SAME_LOAD: Final = (
    "dataset", "input_len", "output_len", "num_warmups", "seed", "temperature", "image", "placement",
)  # fmt: skip
_SAME_SEARCH: Final = ("concurrency", "waves", "min_prompts", "precision_percent")


def search_of(variables: Variables) -> Search:
    """Take the search from the variables."""
    told = variables.sweep
    return Search(sorted(told.concurrency), told.precision_percent / 100, told.max_runs)


def file_of(context: Context) -> Path:
    """Find the file of this run's sweep."""
    return context.home / ".runs" / context.run_id / FILE_NAME


def begun(context: Context) -> Sweep:
    """Give this run's sweep as it is; else the last with the same parameters, if not done; else a new one.

    One that came to its end is not done where its runs were used up, and more are allowed now.
    """
    if file_of(context).exists():
        return read_sweep(file_of(context))
    variables = context.variables
    fresh = Sweep(
        run_id=context.run_id,
        environment=context.environment,
        rehearsal=variables.provider == "rehearsal",
        objective=variables.slo.limits,
        share=variables.slo.attainment,
        parameters=_parameters(context),
    )
    if not variables.sweep.resume:
        return fresh
    left = last_sweep(context.home / ".runs", context.environment, fresh.parameters)
    if left is None or (left.finished and next_of(left, search_of(variables)) is None):
        return fresh
    return left.model_copy(update={"run_id": context.run_id, "finished": False})


def next_of(sweep: Sweep, search: Search) -> int | None:
    """Choose the load to measure next; None at the end."""
    return next_load(_kept(sweep), search)


def with_point(sweep: Sweep, found: SweepPoint, search: Search) -> Sweep:
    """Add a point, and judge anew."""
    grown = sweep.model_copy(update={"points": (*sweep.points, found), "under_way": None})
    return grown.model_copy(update={"best": _best(grown), "finished": next_of(grown, search) is None})


def concluded(sweep: Sweep) -> Sweep:
    """Note that there is nothing left to measure."""
    return sweep.model_copy(update={"under_way": None, "finished": True})


def measuring(context: Context, sweep: Sweep, load: int) -> Context:
    """Make the surroundings of one load's benchmark: its concurrency, its requests, its number, its voice."""
    variables = context.variables
    changed = {
        "max_concurrency": load,
        "num_prompts": max(load * variables.sweep.waves, variables.sweep.min_prompts),
    }
    own = [item for item in sweep.points if item.document.startswith(context.run_id)]
    return replace(
        context,
        variables=variables.model_copy(update={"bench": variables.bench.model_copy(update=changed)}),
        tree={**context.tree, "bench": {**context.tree["bench"], **changed}},
        round=len(own) + 1,
        report=_Voice(context.report, _progress(sweep, load, search_of(variables))),
    )


def left_job(sweep: Sweep, load: int, at: Context) -> Object | None:
    """Find the Job that an interruption left for this load, where nobody has read its result yet."""
    left = sweep.under_way
    if left is None or left.concurrency != load or (at.home / ".runs" / left.kept).exists():
        return None
    return next((job for job in jobs(at)[-1:] if job["metadata"]["name"] == left.job), None)


def marked(sweep: Sweep, load: int, at: Context, left: Object | None) -> Sweep:
    """Note what is under way.

    Args:
        left: the Job that is gone on with, if there is one.
    """
    name = left["metadata"]["name"] if left else job_name(at)
    mark = UnderWay(concurrency=load, job=name, kept=f"{at.run_id}/{file_name(at.round)}")
    return sweep.model_copy(update={"under_way": mark})


def measured(at: Context) -> SweepPoint:
    """Read what a load's benchmark gave."""
    return point(read(at.home / ".runs" / at.run_id / file_name(at.round)))


def _parameters(context: Context) -> dict[str, Any]:
    """List what must be equal for points to stand on one curve: what is measured, by what, and the search."""
    variables = context.variables
    bench, server = variables.bench, require_deployment(context)
    told: dict[str, Any] = {
        "slo": variables.slo.limits,
        "attainment": variables.slo.attainment,
        "model": f"{variables.checkpoint.repository}@{variables.checkpoint.revision}",
        "server": asdict(configuration(server["spec"]["template"]["spec"], variables.server.name)),
        "replicas": ready_replicas(server),
        "tpu": f"{variables.tpu.accelerator} {variables.tpu.topology}",
        **{f"bench.{name}": getattr(bench, name) for name in _SAME_LOAD},
        **{f"sweep.{name}": getattr(variables.sweep, name) for name in _SAME_SEARCH},
    }
    as_read: dict[str, Any] = json.loads(json.dumps(told, default=str))
    return as_read


def _kept(sweep: Sweep) -> dict[int, bool]:
    return {item.concurrency: item.meets(sweep.share) for item in sweep.points}


def _best(sweep: Sweep) -> Best | None:
    found = bracket(_kept(sweep))
    for item in sweep.points:
        if item.concurrency == found.keeps:
            return Best(
                concurrency=item.concurrency,
                attainment=item.attainment,
                attainment_low=item.attainment_low,
                attainment_high=item.attainment_high,
                fails_at=found.fails,
            )
    return None


def _progress(sweep: Sweep, load: int, search: Search) -> str:
    found = bracket(_kept(sweep))
    keeps = f"{found.keeps} keeps the objective" if found.keeps else ""
    fails = f"{found.fails} does not" if found.fails else ""
    known: Sequence[str] = [text for text in (keeps, fails) if text]
    told = f" ({', '.join(known)})" if known else ""
    return f"run {len(sweep.points) + 1} of at most {search.most_runs}: {load} at once{told}"


@dataclass(frozen=True)
class _Voice:
    """A step's voice that says which load it speaks of.

    Args:
        voice: of the step.
        progress: of the sweep.
    """

    voice: StepReport
    progress: str

    def condition(self, text: str) -> None:
        """Tell where the sweep is, then the condition."""
        self.voice.condition(f"{self.progress}: {text}")

    def transferred(self, name: str, done: int, total: int, retries: int) -> None:
        """Tell a transfer's progress."""
        self.voice.transferred(name, done, total, retries)

    def output(self, text: str) -> None:
        """Leave out the result's block: a dozen of them say less than the curve, and each is in its log."""

    def warning(self, text: str) -> None:
        """Tell what the operator should know, and of which load."""
        self.voice.warning(f"{self.progress}: {text}")
