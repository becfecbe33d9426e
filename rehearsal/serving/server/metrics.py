"""The Prometheus page: vLLM's names and labels, counted from what really happened here."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from itertools import accumulate, islice

Labels = Mapping[str, str]

SECONDS_E2E = (0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680)
SECONDS_TTFT = (
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160,
    640, 2560,
)  # fmt: skip
SECONDS_TOKEN = (
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80
)  # fmt: skip
TOKENS_STEP = (1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)
FEW = (1, 2, 5, 10, 20)
PREEMPTIONS = (1, 2, 3, 4, 5, 10, 20)
_WITHOUT = {"admission_rejections": "engine", "cache_config_info": "model_name"}
"""The usual label that a family lacks in 0.32.0; without the first it is counted once for all engines."""

_COUNTERS = {
    "estimated_flops_per_gpu": "Estimated number of floating point operations per GPU.",
    "estimated_read_bytes_per_gpu": "Estimated number of bytes read from memory per GPU.",
    "estimated_write_bytes_per_gpu": "Estimated number of bytes written to memory per GPU.",
    "prefix_cache_queries": "Prefix cache queries, in terms of number of queried tokens.",
    "prefix_cache_hits": "Prefix cache hits, in terms of number of cached tokens.",
    "external_prefix_cache_queries": "External prefix cache queries, in queried tokens.",
    "external_prefix_cache_hits": "External prefix cache hits, in cached tokens.",
    "mm_cache_queries": "Multi-modal cache queries, in queried items.",
    "mm_cache_hits": "Multi-modal cache hits, in cached items.",
    "num_preemptions": "Cumulative number of preemption from the engine.",
    "prompt_tokens": "Number of prefill tokens processed.",
    "prompt_tokens_by_source": "Number of prompt tokens by source.",
    "prompt_tokens_cached": "Number of cached prompt tokens (local + external).",
    "prompt_tokens_cached_by_source": "Prefix-cache hit tokens by the cache tier that supplied them.",
    "generation_tokens": "Number of generation tokens processed.",
    "request_success": "Count of successfully processed requests.",
    "admission_rejections": "Number of admission attempts rejected by a queue limit, by reason.",
}
_GAUGES = {
    "num_requests_running": "Number of requests in model execution batches.",
    "num_requests_waiting": "Number of requests waiting to be processed.",
    "num_requests_waiting_by_reason": "Number of waiting requests by reason.",
    "engine_sleep_state": "Engine sleep state.",
    "kv_cache_usage_perc": "KV-cache usage. 1 means 100 percent usage.",
    "cache_config_info": "Information of the LLMEngine CacheConfig",
}
_LABELED: dict[str, tuple[str, tuple[str, ...]]] = {
    "prompt_tokens_by_source": ("source", ("local_compute", "local_cache_hit", "external_kv_transfer")),
    "prompt_tokens_cached_by_source": ("source", ("device", "host", "p2p", "disk", "external_unspecified")),
    "request_success": ("finished_reason", ("stop", "length", "abort", "error", "repetition")),
    "admission_rejections": ("reason", ("max_num_queued_reqs", "max_num_queued_tokens")),
    "num_requests_waiting_by_reason": ("reason", ("capacity", "deferred")),
    "engine_sleep_state": ("sleep_state", ("awake", "weights_offloaded", "discard_all")),
}


def lengths_up_to(max_model_len: int) -> tuple[int, ...]:
    """Buckets for a number of tokens: 1, 2, 5, 10, ... up to the context."""
    steps = (digit * 10**power for power in range(9) for digit in (1, 2, 5))
    return tuple(step for step in steps if step <= max_model_len)


class Histogram:
    """Counts of observations by size.

    Args:
        bounds: upper bounds, ascending; +Inf is added.
        help_: what is observed, in a few words.
    """

    def __init__(self, bounds: tuple[float, ...], help_: str) -> None:
        self.bounds = (*bounds, float("inf"))
        self.help = help_
        self._counts = [0] * len(self.bounds)
        self.total = 0.0

    def observe(self, value: float, times: int = 1) -> None:
        """Count an observation, or several that are equal."""
        self._counts[bisect_left(self.bounds, value)] += times
        self.total += value * times

    def cumulative(self) -> Iterator[tuple[float, int]]:
        """Each upper bound with the number of observations up to it."""
        return zip(self.bounds, accumulate(self._counts), strict=True)

    @property
    def count(self) -> int:
        """Number of all observations."""
        return sum(self._counts)


class Metrics:
    """The metrics of one engine.

    Args:
        max_model_len: decides the buckets of lengths.
    """

    def __init__(self, max_model_len: int) -> None:
        self.created = time.time()
        self.values = {key: 0.0 for name in (*_COUNTERS, *_GAUGES) for key in _keys(name)}
        self.values["engine_sleep_state", "awake"] = 1.0
        self.values["cache_config_info", ""] = 1.0
        self.histograms = {
            name: Histogram(bounds, help_)
            for name, bounds, help_ in _histograms(lengths_up_to(max_model_len))
        }

    def add(self, name: str, amount: float, label: str = "") -> None:
        """Raise a counter."""
        self.values[name, label] += amount

    def set(self, name: str, value: float, label: str = "") -> None:
        """Set a gauge."""
        self.values[name, label] = value

    def observe(self, name: str, value: float, times: int = 1) -> None:
        """Add to a histogram."""
        self.histograms[name].observe(value, times)


def page(engines: list[Metrics], model_name: str) -> str:
    """Write the metrics of all engines in Prometheus' text format, version 0.0.4."""
    lines: list[str] = []
    for kind, families in (("gauge", _GAUGES), ("counter", _COUNTERS)):
        for name, help_ in families.items():
            lines += _family(engines, model_name, name, kind, help_)
    for name, histogram in engines[0].histograms.items():
        lines += _head(name, "histogram", histogram.help)
        for rank, engine in enumerate(engines):
            lines += _histogram_lines(name, engine.histograms[name], f'engine="{rank}"', model_name)
        lines += _created(engines, model_name, name)
    return "\n".join(lines) + "\n"


def _family(engines: list[Metrics], model_name: str, name: str, kind: str, help_: str) -> Iterator[str]:
    shown = f"{name}_total" if kind == "counter" else name
    yield from _head(shown, kind, help_)
    for rank, engine in _counting(engines, name):
        for key in _keys(name):
            yield f"vllm:{shown}{{{_labels(rank, model_name, key)}}} {engine.values[key]}"
    if kind == "counter":
        yield from _created(engines, model_name, name)


def _head(name: str, kind: str, help_: str) -> list[str]:
    return [f"# HELP vllm:{name} {help_}", f"# TYPE vllm:{name} {kind}"]


def _created(engines: list[Metrics], model_name: str, name: str) -> Iterator[str]:
    yield from _head(f"{name}_created", "gauge", "When it was created, in seconds since the epoch.")
    for rank, engine in _counting(engines, name):
        for key in _keys(name):
            yield f"vllm:{name}_created{{{_labels(rank, model_name, key)}}} {engine.created}"


def _histogram_lines(name: str, histogram: Histogram, engine: str, model_name: str) -> Iterator[str]:
    model = f'model_name="{model_name}"'
    for bound, count in histogram.cumulative():
        shown = "+Inf" if bound == float("inf") else str(float(bound))
        yield f'vllm:{name}_bucket{{{engine},le="{shown}",{model}}} {float(count)}'
    yield f"vllm:{name}_count{{{engine},{model}}} {float(histogram.count)}"
    yield f"vllm:{name}_sum{{{engine},{model}}} {histogram.total}"


def _counting(engines: list[Metrics], name: str) -> Iterator[tuple[int, Metrics]]:
    return islice(enumerate(engines), 1 if _WITHOUT.get(name) == "engine" else None)


def _labels(rank: int, model_name: str, key: tuple[str, str]) -> str:
    label = _LABELED.get(key[0], ("", ()))[0]
    labels = {"engine": str(rank), "model_name": model_name} | ({label: key[1]} if label else {})
    labels.pop(_WITHOUT.get(key[0], ""), None)
    return ",".join(f'{name}="{labels[name]}"' for name in sorted(labels))


def _keys(name: str) -> list[tuple[str, str]]:
    return [(name, value) for value in _LABELED.get(name, ("", ("",)))[1]]


def _histograms(lengths: tuple[int, ...]) -> Iterator[tuple[str, tuple[float, ...], str]]:
    yield "time_to_first_token_seconds", SECONDS_TTFT, "Histogram of time to first token in seconds."
    yield "inter_token_latency_seconds", SECONDS_TOKEN, "Histogram of inter-token latency in seconds."
    yield (
        "request_time_per_output_token_seconds",
        SECONDS_TOKEN,
        "Histogram of time per output token per request.",
    )
    yield "e2e_request_latency_seconds", SECONDS_E2E, "Histogram of e2e request latency in seconds."
    for phase in ("queue", "inference", "prefill", "decode"):
        yield (
            f"request_{phase}_time_seconds",
            SECONDS_E2E,
            f"Histogram of time spent in {phase} phase for request.",
        )
    yield "request_prompt_tokens", lengths, "Number of prefill tokens processed."
    yield "request_generation_tokens", lengths, "Number of generation tokens processed."
    yield "request_max_num_generation_tokens", lengths, "Maximum number of requested generation tokens."
    yield "request_params_max_tokens", lengths, "Histogram of the max_tokens request parameter."
    yield "request_prefill_kv_computed_tokens", lengths, "New KV tokens computed during prefill."
    yield "request_params_n", FEW, "Histogram of the n request parameter."
    yield "request_num_preemptions", PREEMPTIONS, "Histogram of the number of preemptions per request."
    yield "iteration_tokens_total", TOKENS_STEP, "Histogram of number of tokens per engine_step."
