"""The benchmark's Jobs in the cluster: those of earlier runs, this run's, and the one to look at."""

from __future__ import annotations

from typing import Final

from runbook.clients.kube.objects import Object
from runbook.engine.change import FactKey
from runbook.steps.context import Context
from runbook.steps.kube.cluster import OBJECTS, client, is_planned
from runbook.steps.kube.workload import COMPONENT, labels

JOBS: Final[FactKey] = (*OBJECTS, "benchmarks")


def jobs(context: Context) -> list[Object]:
    """List this environment's benchmark Jobs, the newest last; a cluster that is only planned has none."""
    found = context.facts.read(JOBS, lambda: [] if is_planned(context) else _listed(context))
    return sorted(found, key=lambda job: str(job["metadata"]["creationTimestamp"]))


def ended(job: Object) -> str | None:
    """Give the condition that ended a Job, `Complete` or `Failed`; None while it runs."""
    for condition in job.get("status", {}).get("conditions", ()):
        if condition["type"] in {"Complete", "Failed"} and condition["status"] == "True":
            return str(condition["type"])
    return None


def asked_for(job: Object, flag: str) -> int | None:
    """Read a number that a Job's client was given, such as of `--num-prompts`; None where it was not.

    Args:
        flag: how the flag ends, as the lengths begin with the dataset's name.
    """
    arguments: list[str] = job["spec"]["template"]["spec"]["containers"][0].get("args", [])
    for name, _, value in (argument.partition("=") for argument in arguments):
        if name.startswith("--") and name.endswith(flag) and value.isdecimal():
            return int(value)
    return None


def benchmark_labels(context: Context) -> dict[str, str]:
    """Give the labels that every benchmark Job of this environment carries."""
    return {**labels(context), COMPONENT: "benchmark"}


def _listed(context: Context) -> list[Object]:
    namespace = context.variables.kube.namespace
    return client(context).list("batch/v1", "Job", namespace, labels=benchmark_labels(context))
