"""What is kept of a benchmark: its document, with the fingerprint that says with what it may be compared."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from runbook.clients.kube.objects import Object
from runbook.config.schema import Variables
from runbook.measurement.asked import Asked
from runbook.measurement.document import FINGERPRINT, Derived, Document, Scalar, Verdict
from runbook.measurement.figures import Figures
from runbook.measurement.reading import Reading
from runbook.steps.bench import rehearsed
from runbook.steps.bench.jobs import client_image, container, options, workload
from runbook.steps.bench.served import Served
from runbook.steps.context import Context

_MILLION = 1e6
_HOUR_SECONDS = 3600


def document(context: Context, job: Object, reading: Reading, verdict: Verdict, served: Served) -> Document:
    """Put together what is kept."""
    return Document(
        id=context.measurement_id,
        run_id=context.run_id,
        environment=context.environment,
        started=_started(job),
        rehearsal=context.variables.provider == "rehearsal",
        verdict=verdict,
        fingerprint=_fingerprint(context.variables, job, reading, served),
        result=reading.figures,
        derived=derived(context.variables, reading.figures, served.replicas or 1),
        client=reading.client,
        job=job["metadata"]["name"],
        arguments=tuple(container(job).get("args", ())),
        full_precision=reading.full_precision,
    )


def asked(job: Object, served: Served | None = None) -> Asked:
    """Say what a Job's client was asked for, and what the server takes."""
    given = options(job)
    return Asked(
        prompts=_whole(given, "num-prompts"),
        input_len=_whole(given, "input-len"),
        output_len=_whole(given, "output-len"),
        max_concurrency=_whole(given, "max-concurrency"),
        max_model_len=served.max_model_len if served else None,
    )


def derived(variables: Variables, figures: Figures, replicas: int) -> Derived:
    """Reckon a result for one chip, and its price by the machines that serve.

    Args:
        replicas: Pods that served; each has a machine.
    """
    chips = variables.tpu.chips * replicas
    output, total = figures.get("output_throughput"), figures.get("total_token_throughput")
    price = variables.prices.tpu_machine
    cost = None
    if price is not None and output:
        cost = price * replicas / _HOUR_SECONDS / output * _MILLION
    return Derived(
        output_tokens_per_s_per_chip=None if output is None else output / chips,
        total_tokens_per_s_per_chip=None if total is None else total / chips,
        price_per_million_output_tokens=cost,
    )


def _fingerprint(variables: Variables, job: Object, reading: Reading, served: Served) -> dict[str, Scalar]:
    given = options(job)
    found = {
        "model": f"{variables.checkpoint.repository}@{variables.checkpoint.revision}",
        **served.fingerprint(),
        "accelerator": rehearsed.accelerator(variables),
        "topology": variables.tpu.topology,
        "chips": variables.tpu.chips,
        "workload": workload(job),
        "dataset": given.get("dataset-name"),
        "input_len": _whole(given, "input-len"),
        "output_len": _whole(given, "output-len"),
        "num_prompts": _whole(given, "num-prompts"),
        "num_warmups": _whole(given, "num-warmups") or 0,
        "max_concurrency": _whole(given, "max-concurrency"),
        "request_rate": _real(given, "request-rate"),
        "seed": _whole(given, "seed"),
        "temperature": _real(given, "temperature"),
        "client_image": client_image(job),
        "client_version": rehearsed.client_version(variables, reading.client_version),
        "placement": variables.bench.placement,
    }
    return {key: found[key] for key in FINGERPRINT}


def _whole(given: Mapping[str, str], name: str) -> int | None:
    """Read a number; the lengths' flags begin with the dataset's name."""
    dataset = given.get("dataset-name", "")
    value = given.get(name, given.get(f"{dataset}-{name}", ""))
    return int(value) if value.isdecimal() else None


def _real(given: Mapping[str, str], name: str) -> float | None:
    return float(given[name]) if given.get(name) else None


def _started(job: Object) -> float:
    began = job.get("status", {}).get("startTime") or job["metadata"]["creationTimestamp"]
    return datetime.fromisoformat(str(began)).timestamp()
