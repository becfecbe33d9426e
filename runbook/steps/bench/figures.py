"""What `vllm bench serve` measured: read from its output, and judged.

Its exit code says nothing: it is 0 when every request failed, and when the server stopped in mid-answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

BEGIN: Final = "----- bench.json -----"
END: Final = "----- end of bench.json -----"
_HEADER: Final = "Serving Benchmark Result"
_ANSI: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_LINE: Final = re.compile(r"^(?P<label>[A-Z][^:]*):\s+(?P<value>-?[0-9.]+|inf|nan)\s*$")
_LATENCY: Final = re.compile(r"^(?P<kind>Mean|Median|P[0-9.]+) (?P<metric>TTFT|TPOT|ITL|E2EL) \(ms\)$")
_LABELS: Final = {
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


@dataclass(frozen=True)
class Figures:
    """One run of the benchmark.

    Args:
        block: the result as the client prints it, rounded.
        values: the result under the names of the client's saved JSON; in full precision where that was
            found, else as in the block. Latencies are in milliseconds, such as `median_ttft_ms`.
        precise: whether the saved JSON was found.
    """

    block: str
    values: Mapping[str, Any]
    precise: bool

    @property
    def completed(self) -> int:
        """Requests that were answered."""
        return int(self.values["completed"])

    @property
    def failed(self) -> int:
        """Requests that were not; old clients do not tell."""
        return int(self.values.get("failed") or 0)

    @property
    def output_tokens(self) -> int:
        """Tokens of all answers."""
        return int(self.values["total_output_tokens"])

    @property
    def output_throughput(self) -> float:
        """Tokens of all answers, per second."""
        return float(self.values["output_throughput"])


def read_figures(log: str) -> Figures | None:
    """Find the result in a benchmark's output; None where there is none.

    Args:
        log: stdout and stderr; carriage returns and colours do no harm.
    """
    text = _ANSI.sub("", log).replace("\r\n", "\n").replace("\r", "\n")
    block = _block(text)
    saved = _saved(text)
    if block is None:
        return None
    values = dict(_values(block))
    if not {"completed", "total_output_tokens", "output_throughput"} <= {*values, *saved}:
        return None
    return Figures(block, {**values, **saved}, bool(saved))


def complaints(figures: Figures, *, prompts: int | None, output_len: int | None) -> list[str]:
    """Say why a result is no measurement; nothing where it is one.

    Args:
        prompts: requests that were asked for; None where that is not known.
        output_len: tokens that each answer must have, as the end-of-sequence token is ignored; None where
            that is not known.
    """
    found = []
    if figures.failed:
        found.append(f"{figures.failed} requests failed")
    if prompts is not None and figures.completed != prompts:
        found.append(f"{figures.completed} of {prompts} requests were answered")
    expected = figures.completed * (output_len or 0)
    if figures.output_tokens < expected:
        found.append(f"answers were cut short: {figures.output_tokens} of {expected} tokens arrived")
    return found


def _block(text: str) -> str | None:
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if _HEADER in line and line.startswith("=")]
    if not starts:
        return None
    for number in range(starts[-1] + 1, len(lines)):
        if lines[number].startswith("=" * 20):
            return "\n".join(line.rstrip() for line in lines[starts[-1] : number + 1])
    return None


def _values(block: str) -> Iterator[tuple[str, float]]:
    for line in block.splitlines():
        found = _LINE.match(line)
        if not found:
            continue
        latency = _LATENCY.match(found["label"])
        if latency:
            yield f"{latency['kind'].lower()}_{latency['metric'].lower()}_ms", float(found["value"])
        elif found["label"].lower() in _LABELS:
            yield _LABELS[found["label"].lower()], float(found["value"])


def _saved(text: str) -> dict[str, Any]:
    start, end = text.rfind(BEGIN), text.rfind(END)
    if start < 0 or end < start:
        return {}
    for line in text[start + len(BEGIN) : end].splitlines():
        # a line of the progress bar may have come between
        if line.startswith("{"):
            try:
                found = json.loads(line)
            except ValueError:
                continue
            return found if isinstance(found, dict) else {}
    return {}
