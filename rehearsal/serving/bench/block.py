"""The result block that everyone quotes."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator

from rehearsal.serving.bench.measurement import Distribution, Measurement
from rehearsal.serving.release import Release

WIDTH = 50
STAND_IN = (
    "NOTE: the rehearsal's stand-ins of vLLM made the figures below, server and client, on this machine:"
    " they say nothing about a TPU."
)
LATENCIES = {
    "ttft": ("TTFT", "Time to First Token"),
    "tpot": ("TPOT", "Time per Output Token (excl. 1st token)"),
    "itl": ("ITL", "Inter-token Latency"),
    "e2el": ("E2EL", "End-to-end Latency"),
    "client_queue_time": ("Client Queue Time", "Client-side Queueing"),
    "e2el_including_client_queue": ("E2EL incl. Client Queue", "Queue-inclusive End-to-end Latency"),
}


def shown_latencies(options: argparse.Namespace, release: Release) -> list[str]:
    """Which latencies are shown and saved: those asked for that this run can have."""
    asked = (options.percentile_metrics or "ttft,tpot,itl").split(",")
    shown = [name for name in LATENCIES if name in asked]
    if options.max_concurrency is None or not release.is_current:
        return [name for name in shown if "queue" not in name]
    return [
        name for name in shown if name != "e2el_including_client_queue" or math.isfinite(options.request_rate)
    ]


def lines(measured: Measurement, options: argparse.Namespace, release: Release) -> Iterator[str]:
    """Write the block, line by line, without the first `NOTE`."""
    yield f"{' Serving Benchmark Result ':=^{WIDTH}}"
    yield _count("Successful requests:", measured.completed)
    yield _count("Failed requests:", measured.failed)
    if options.max_concurrency is not None:
        yield _count("Maximum request concurrency:", options.max_concurrency)
    if math.isfinite(options.request_rate):
        yield _figure("Request rate configured (RPS):", options.request_rate)
    yield from _totals(measured, options, release)
    for name in shown_latencies(options, release):
        yield from _latency(*LATENCIES[name], measured.latencies[name])
    yield "=" * WIDTH


def percentile_word(percentile: float) -> str:
    """How a percentile is named: 99, 99.9."""
    return str(int(percentile)) if int(percentile) == percentile else str(percentile)


def _totals(measured: Measurement, options: argparse.Namespace, release: Release) -> Iterator[str]:
    seconds = measured.duration
    yield _figure("Benchmark duration (s):", seconds)
    yield _count("Total input tokens:", measured.total_input)
    yield _count("Total generated tokens:", measured.total_output)
    yield _figure("Request throughput (req/s):", measured.completed / seconds)
    if options.goodput:
        yield _figure("Request goodput (req/s):", measured.good / seconds)
    yield _figure("Output token throughput (tok/s):", measured.total_output / seconds)
    yield _figure("Peak output token throughput (tok/s):", measured.peak_output)
    yield _figure("Peak concurrent requests:", measured.peak_concurrent)
    yield _figure(release.total_label, (measured.total_input + measured.total_output) / seconds)


def _latency(short: str, title: str, figures: Distribution) -> Iterator[str]:
    yield f"{title:-^{WIDTH}}"
    yield _figure(f"Mean {short} (ms):", figures.mean)
    yield _figure(f"Median {short} (ms):", figures.median)
    for percentile, value in figures.percentiles:
        yield _figure(f"P{percentile_word(percentile)} {short} (ms):", value)


def _count(label: str, value: int) -> str:
    return f"{label:<40} {value:<10}"


def _figure(label: str, value: float) -> str:
    return f"{label:<40} {value:<10.2f}"
