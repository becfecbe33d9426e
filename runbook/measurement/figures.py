"""The names of the figures: as the client prints them, as its saved JSON calls them, and their units."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any, Final

Figures = dict[str, int | float]
"""Figures by the client's JSON keys; latencies in ms, throughputs a second, `duration` in s."""

LABELS: Final = {
    "successful requests": "completed",
    "failed requests": "failed",
    "maximum request concurrency": "max_concurrency",
    "request rate configured (rps)": "request_rate",
    "benchmark duration (s)": "duration",
    "total input tokens": "total_input_tokens",
    "total generated tokens": "total_output_tokens",
    "request throughput (req/s)": "request_throughput",
    "request goodput (req/s)": "request_goodput",
    "output token throughput (tok/s)": "output_throughput",
    "peak output token throughput (tok/s)": "max_output_tokens_per_s",
    "peak concurrent requests": "max_concurrent_requests",
    "total token throughput (tok/s)": "total_token_throughput",
}
"""Lines of the block, in small letters, as vLLM spells a capital differently from release to release."""

ESSENTIAL: Final = ("completed", "duration", "total_output_tokens", "output_throughput")
"""Figures without which there is no result."""

METRICS: Final = {
    "ttft": "ttft",
    "tpot": "tpot",
    "itl": "itl",
    "e2el": "e2el",
    "client queue time": "client_queue_time",
    "e2el incl. client queue": "e2el_including_client_queue",
}
TITLES: Final = frozenset(
    {
        "time to first token",
        "time per output token (excl. 1st token)",
        "inter-token latency",
        "end-to-end latency",
        "client-side queueing",
        "queue-inclusive end-to-end latency",
    }
)
_COUNTS: Final = ("completed", "failed", "total_input_tokens", "total_output_tokens", "max_concurrency")
_LATENCY_LABEL: Final = re.compile(
    rf"(?P<kind>mean|median|p[0-9]+(?:\.[0-9]+)?) (?P<metric>{'|'.join(map(re.escape, METRICS))}) \(ms\)"
)
_LATENCY_KEY: Final = re.compile(
    rf"(?:mean|median|std|p[0-9]+(?:\.[0-9]+)?)_(?:{'|'.join(METRICS.values())})_ms"
)
_UNITS: Final = {
    "duration": "s",
    "total_input_tokens": "tokens",
    "total_output_tokens": "tokens",
    "request_throughput": "req/s",
    "request_goodput": "req/s",
    "request_rate": "req/s",
    "output_throughput": "tok/s",
    "max_output_tokens_per_s": "tok/s",
    "total_token_throughput": "tok/s",
    "completed": "requests",
    "failed": "requests",
    "max_concurrency": "requests",
    "max_concurrent_requests": "requests",
}


def key_of(label: str) -> str | None:
    """Give the JSON key of a line's label, such as `Median TTFT (ms)`; None where it is not known."""
    small = label.strip().lower()
    latency = _LATENCY_LABEL.fullmatch(small)
    if latency:
        return f"{latency['kind']}_{METRICS[latency['metric']]}_ms"
    return LABELS.get(small)


def unit_of(key: str) -> str:
    """Give a figure's unit."""
    return "ms" if key.endswith("_ms") else _UNITS.get(key, "")


def is_count(key: str) -> bool:
    """Tell whether a figure is a whole number, which a block shows in full."""
    return key in _COUNTS


def figures_in(saved: Mapping[str, Any]) -> Figures:
    """Pick the figures out of the client's JSON; what is null or no finite number is left out."""
    return {
        key: value
        for key, value in saved.items()
        if (key in _UNITS or _LATENCY_KEY.fullmatch(key)) and _is_number(value)
    }


def _is_number(value: object) -> bool:
    """Tell a number that a float can hold; JSON may have longer ones."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
