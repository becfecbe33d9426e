"""The benchmark's Jobs in the cluster: those of earlier runs, this run's, and the one to look at."""

from __future__ import annotations

from typing import Final

from runbook.clients.kube.objects import Object
from runbook.engine.change import FactKey
from runbook.steps.context import Context
from runbook.steps.kube.cluster import OBJECTS, client, is_planned
from runbook.steps.kube.workload import COMPONENT, labels

JOBS: Final[FactKey] = (*OBJECTS, "benchmarks")


WORKLOAD: Final = "runbook/workload"
CLIENT_IMAGE: Final = "runbook/client-image"


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


def options(job: Object) -> dict[str, str]:
    """Read what a Job's client was given, such as `num-prompts`; where a flag has no value it is empty."""
    arguments: list[str] = container(job).get("args", [])
    pairs = (argument[2:].partition("=") for argument in arguments if argument.startswith("--"))
    return {name: value for name, _, value in pairs}


def ahead(job: Object) -> int:
    """Count the requests that a Job's client sends beside those that it measures: ready check, warm-ups."""
    given = options(job)
    ready_check = int(given.get("ready-check-timeout-sec", "0") != "0")
    return ready_check + int(given.get("num-warmups") or 0)


def workload(job: Object) -> str | None:
    """Name the workload that a Job runs; None where it was made by hand."""
    return _annotation(job, WORKLOAD)


def client_image(job: Object) -> str:
    """Name the client's image as the variables do, where the Job runs it by its digest."""
    return _annotation(job, CLIENT_IMAGE) or str(container(job)["image"])


def container(job: Object) -> Object:
    """Give the client's container."""
    found: Object = job["spec"]["template"]["spec"]["containers"][0]
    return found


def benchmark_labels(context: Context) -> dict[str, str]:
    """Give the labels that every benchmark Job of this environment carries."""
    return {**labels(context), COMPONENT: "benchmark"}


def _annotation(job: Object, name: str) -> str | None:
    found: str | None = job["metadata"].get("annotations", {}).get(name)
    return found


def _listed(context: Context) -> list[Object]:
    namespace = context.variables.kube.namespace
    return client(context).list("batch/v1", "Job", namespace, labels=benchmark_labels(context))
