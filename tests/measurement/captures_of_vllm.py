"""Captures of the real vLLM 0.32.0 (CPU) and of the 0.13.2 client, as the reading gets them."""

from __future__ import annotations

import ast
import base64
import gzip
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CAPTURES = Path(__file__).with_name("captures")
_CHUNK = re.compile(r" +[\d.]+ [EO] (b['\"].*)")
PIECE = 400
ARRAYS = ("input_lens", "output_lens", "ttfts", "itls", "latencies", "start_times", "queue_times",
          "generated_texts", "errors")  # fmt: skip


def capture(name: str) -> str:
    """Read a capture; one that was taken chunk by chunk is put together again."""
    text = (CAPTURES / name).read_bytes().decode("utf-8", "replace")
    if "chunks" not in name:
        return text
    chunks = [found[1] for found in map(_CHUNK.fullmatch, text.split("\n")) if found]
    return b"".join(ast.literal_eval(chunk) for chunk in chunks).decode()


def saved_without_details(name: str) -> dict[str, Any]:
    """Read a saved JSON as it is without --save-detailed."""
    return {key: value for key, value in json.loads(capture(name)).items() if key not in ARRAYS}


def block_of(saved: Mapping[str, Any]) -> str:
    """Print a saved result as the client's block does."""
    counts = {"Successful requests:": "completed", "Failed requests:": "failed"}
    totals = {"Total input tokens:": "total_input_tokens", "Total generated tokens:": "total_output_tokens"}
    rates = {
        "Request throughput (req/s):": "request_throughput",
        "Output token throughput (tok/s):": "output_throughput",
        "Peak output token throughput (tok/s):": "max_output_tokens_per_s",
        "Peak concurrent requests:": "max_concurrent_requests",
        "Total token throughput (tok/s):": "total_token_throughput",
    }
    lines = [f"{' Serving Benchmark Result ':=^50}"]
    lines += [f"{label:<40} {saved[key]:<10}" for label, key in counts.items()]
    lines.append(f"{'Benchmark duration (s):':<40} {saved['duration']:<10.2f}")
    lines += [f"{label:<40} {saved[key]:<10}" for label, key in totals.items()]
    lines += [f"{label:<40} {saved[key]:<10.2f}" for label, key in rates.items()]
    for metric in ("ttft", "tpot", "itl"):
        lines.append(f"{' ' + metric.upper() + ' ':-^50}")
        for kind in ("Mean", "Median", "P99"):
            value = saved[f"{kind.lower()}_{metric}_ms"]
            lines.append(f"{f'{kind} {metric.upper()} (ms):':<40} {value:<10.2f}")
    return "\n".join([*lines, "=" * 50, ""])


def carried(saved: Mapping[str, Any]) -> str:
    """Carry a saved JSON in a log as the Job's script does."""
    text = json.dumps(saved).encode()
    data = base64.b64encode(gzip.compress(text)).decode()
    pieces = [data[start : start + PIECE] for start in range(0, len(data), PIECE)]
    first = f"----- bench.json gzip base64 sha256={hashlib.sha256(text).hexdigest()} -----"
    numbered = [f"bench.json:{number}:{piece}" for number, piece in enumerate(pieces, 1)]
    return "\n".join([first, *numbered, "----- end of bench.json -----", ""])
