"""The saved result: one JSON object, with the keys of `vllm bench serve`."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from rehearsal.serving.bench.block import percentile_word, shown_latencies
from rehearsal.serving.bench.measurement import Measurement
from rehearsal.serving.bench.streaming import Outcome
from rehearsal.serving.container import Container
from rehearsal.serving.release import Release

STAND_IN = "figures of the rehearsal's stand-ins, not of a TPU"
_ALWAYS_KEPT = ("latencies", "queue_times")
"""What 0.32.0 does not take out again where --save-detailed is not given."""


def result(
    measured: Measurement,
    outcomes: Sequence[Outcome],
    options: argparse.Namespace,
    release: Release,
    model: str,
) -> dict[str, Any]:
    """Put together what is saved.

    Args:
        model: `model_id`.

    Raises:
        ValueError: --metadata is not KEY=VALUE.
    """
    head = {
        "date": datetime.now().strftime("%Y%m%d-%H%M%S"),
        "endpoint_type": options.backend,
        "backend": options.backend,
        "label": options.label,
        "model_id": model,
        "tokenizer_id": options.tokenizer or model,
        "num_prompts": options.num_prompts,
    }
    rate = options.request_rate
    load = {
        "request_rate": rate if math.isfinite(rate) else "inf",
        "burstiness": options.burstiness,
        "max_concurrency": options.max_concurrency,
    }
    return (
        head
        | _metadata(options.metadata)
        | load
        | _totals(measured, options)
        | _details(measured, outcomes, options, release)
        | _peaks(measured, release)
        | _latencies(measured, options, release)
        | {"rehearsal": STAND_IN}
    )


def save(saved: dict[str, Any], options: argparse.Namespace, container: Container, model: str) -> None:
    """Write the result to its file; --append-result adds a line to it."""
    name = options.result_filename or _file_name(options, model, saved["date"])
    folder = container.local_path(options.result_dir or ".")
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / container.local_path(name) if options.result_dir else container.local_path(name)
    text = json.dumps(saved)
    if options.append_result and file.is_file() and file.stat().st_size:
        text = f"\n{text}"
    with Path(file).open("a" if options.append_result else "w", encoding="utf-8") as out:
        out.write(text)


def _file_name(options: argparse.Namespace, model: str, date: str) -> str:
    concurrency = "" if options.max_concurrency is None else f"-concurrency{options.max_concurrency}"
    label = options.label or options.backend
    return f"{label}-{options.request_rate}qps{concurrency}-{model.rsplit('/', 1)[-1]}-{date}.json"


def _metadata(items: Sequence[str] | None) -> dict[str, str]:
    pairs = [item.partition("=") for item in items or ()]
    if not all(equals for _, equals, _ in pairs):
        raise ValueError("Invalid metadata format. Please use KEY=VALUE format.")
    return {key.strip(): value.strip() for key, _, value in pairs}


def _totals(measured: Measurement, options: argparse.Namespace) -> dict[str, Any]:
    seconds = measured.duration
    return {
        "duration": seconds,
        "completed": measured.completed,
        "failed": measured.failed,
        "total_input_tokens": measured.total_input,
        "total_output_tokens": measured.total_output,
        "request_throughput": measured.completed / seconds,
        "request_goodput": measured.good / seconds if options.goodput else None,
        "output_throughput": measured.total_output / seconds,
        "total_token_throughput": (measured.total_input + measured.total_output) / seconds,
    }


def _details(
    measured: Measurement, outcomes: Sequence[Outcome], options: argparse.Namespace, release: Release
) -> dict[str, Any]:
    details: dict[str, Any] = {
        "input_lens": [outcome.prompt_tokens for outcome in outcomes],
        "output_lens": measured.output_lengths,
        "ttfts": [outcome.time_to_first_token for outcome in outcomes],
        "itls": [list(outcome.inter_token_latencies) for outcome in outcomes],
    }
    if release.is_current:
        details["latencies"] = [outcome.latency for outcome in outcomes]
        details["start_times"] = [outcome.start_time for outcome in outcomes]
        details["queue_times"] = [outcome.queue_time for outcome in outcomes]
    details["generated_texts"] = [outcome.text for outcome in outcomes]
    details["errors"] = [outcome.error for outcome in outcomes]
    kept = details.keys() if options.save_detailed else _ALWAYS_KEPT
    return {name: values for name, values in details.items() if name in kept}


def _peaks(measured: Measurement, release: Release) -> dict[str, Any]:
    peaks: dict[str, Any] = {
        "max_output_tokens_per_s": measured.peak_output,
        "max_concurrent_requests": measured.peak_concurrent,
    }
    return peaks | ({"rtfx": 0.0} if release.is_current else {})


def _latencies(measured: Measurement, options: argparse.Namespace, release: Release) -> dict[str, float]:
    saved: dict[str, float] = {}
    for name in shown_latencies(options, release):
        figures = measured.latencies[name]
        saved |= {
            f"mean_{name}_ms": figures.mean,
            f"median_{name}_ms": figures.median,
            f"std_{name}_ms": figures.std,
        }
        saved |= {f"p{percentile_word(which)}_{name}_ms": value for which, value in figures.percentiles}
    return saved
