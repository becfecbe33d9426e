"""What is kept of a benchmark: its document, with the fingerprint that says with what it may be compared."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from runbook.clients.kube.objects import Object
from runbook.config.schema import Variables
from runbook.measurement.asked import Asked
from runbook.measurement.document import Derived, Document, Scalar, Verdict
from runbook.measurement.figures import Figures
from runbook.measurement.reading import Reading
from runbook.steps.bench import rehearsed
from runbook.steps.bench.jobs import client_image, container, options, workload
from runbook.steps.bench.witness import image_digest
from runbook.steps.context import Context

_MILLION = 1e6
_HOUR_SECONDS = 3600


def document(
    context: Context, job: Object, reading: Reading, verdict: Verdict, servers: Sequence[Object]
) -> Document:
    """Put together what is kept.

    Args:
        servers: the server's Pods.
    """
    return Document(
        id=context.measurement_id,
        run_id=context.run_id,
        environment=context.environment,
        started=_started(job),
        rehearsal=context.variables.provider == "rehearsal",
        verdict=verdict,
        fingerprint=_fingerprint(context.variables, job, reading, servers),
        result=reading.figures,
        derived=derived(context.variables, reading.figures),
        client=reading.client,
        job=job["metadata"]["name"],
        arguments=tuple(container(job).get("args", ())),
        full_precision=reading.full_precision,
    )


def asked(context: Context, job: Object) -> Asked:
    """Say what a Job's client was asked for, and what the server takes."""
    given = options(job)
    longest = context.variables.server.flags.get("max-model-len")
    return Asked(
        prompts=_whole(given, "num-prompts"),
        input_len=_whole(given, "input-len"),
        output_len=_whole(given, "output-len"),
        max_concurrency=_whole(given, "max-concurrency"),
        max_model_len=longest if isinstance(longest, int) else None,
    )


def derived(variables: Variables, figures: Figures) -> Derived:
    """Reckon a result for one chip, and its price by the machines that serve."""
    replicas = max(variables.server.replicas, 1)
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


def _fingerprint(
    variables: Variables, job: Object, reading: Reading, servers: Sequence[Object]
) -> dict[str, Scalar]:
    given = options(job)
    flags = json.dumps(dict(variables.server.flags), sort_keys=True, separators=(",", ":"))
    return {
        "model": f"{variables.checkpoint.repository}@{variables.checkpoint.revision}",
        "server_image": variables.server.image,
        "server_digest": image_digest(servers),
        "server_flags": flags,
        "accelerator": rehearsed.accelerator(variables),
        "topology": variables.tpu.topology,
        "chips": variables.tpu.chips,
        "replicas": variables.server.replicas,
        "workload": workload(job),
        "dataset": given.get("dataset-name"),
        "input_len": _whole(given, "input-len"),
        "output_len": _whole(given, "output-len"),
        "num_prompts": _whole(given, "num-prompts"),
        "max_concurrency": _whole(given, "max-concurrency"),
        "request_rate": _real(given, "request-rate"),
        "seed": _whole(given, "seed"),
        "temperature": _real(given, "temperature"),
        "client_image": client_image(job),
        "client_version": rehearsed.client_version(variables, reading.client_version),
        "placement": variables.bench.placement,
    }


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
