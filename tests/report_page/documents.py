"""Benchmarks' documents with figures that a test chooses, written where a run keeps its own."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runbook.measurement.document import Derived, Document, Finding, Verdict, write
from runbook.measurement.sweep import Best, Sweep, SweepPoint, write_sweep

CHIPS = 4
FINGERPRINT: dict[str, str | int | float | None] = {
    "model": "/model-vol-mount/gpt-oss-tiny",
    "server_image": "vllm/vllm-tpu:nightly",
    "server_digest": None,
    "server_flags": "--max-model-len=1024 --max-num-seqs=256",
    "accelerator": "tpu7x",
    "topology": "2x2x1",
    "chips": CHIPS,
    "dataset": "sonnet",
    "input_len": 256,
    "output_len": 64,
    "num_prompts": 24,
    "request_rate": "inf",
}


@dataclass(frozen=True)
class Told:
    """What a test says of a benchmark; the rest is the same for all."""

    output_throughput: float = 8000.0
    verdict: str = "ok"
    finding: Finding | None = None
    rehearsal: bool = True
    number: int = 1
    fingerprint: dict[str, Any] = field(default_factory=dict)
    client: dict[str, Any] | None = None


def measured(folder: Path, told: Told) -> Document:
    """Keep a benchmark in a run's folder."""
    run = json.loads((folder / "run.json").read_text())
    suffix = "" if told.number == 1 else f"-{told.number}"
    findings = () if told.finding is None else (told.finding,)
    document = Document.model_validate(
        {
            "schema": 2,
            "id": f"{run['run_id']}{suffix}",
            "run_id": run["run_id"],
            "environment": run["environment"],
            "started": run["started"] + told.number,
            "rehearsal": told.rehearsal,
            "verdict": Verdict.model_validate({"name": told.verdict, "findings": findings}),
            "fingerprint": FINGERPRINT | told.fingerprint,
            "result": result(told.output_throughput),
            "derived": Derived(
                output_tokens_per_s_per_chip=told.output_throughput / CHIPS,
                total_tokens_per_s_per_chip=told.output_throughput * 5 / CHIPS,
            ),
            "client": told.client,
            "job": f"vllm-bench-{run['run_id']}",
            "arguments": ("bench", "serve", "--num-prompts=24"),
            "full_precision": True,
        }
    )
    write(document, folder / f"bench{suffix}.json")
    return document


def result(output_throughput: float) -> dict[str, float]:
    """Make a client's figures; latencies rise as throughput falls."""
    slow = 8000.0 / output_throughput
    figures: dict[str, float] = {
        "completed": 24,
        "failed": 0,
        "duration": 24 * 64 / output_throughput,
        "total_input_tokens": 6014,
        "total_output_tokens": 24 * 64,
        "request_throughput": output_throughput / 64,
        "output_throughput": output_throughput,
        "total_token_throughput": output_throughput * 5,
    }
    for short, median in (("ttft", 110.0), ("tpot", 0.9), ("itl", 0.8), ("e2el", 170.0)):
        spread = {"mean": 1.1, "std": 0.2, "median": 1.0, "p90": 1.3, "p95": 1.4, "p99": 1.9, "p99.9": 2.6}
        figures |= {f"{kind}_{short}_ms": median * factor * slow for kind, factor in spread.items()}
    return figures


def detailed(requests: int, tokens: int) -> dict[str, Any]:
    """Make what the client keeps of each request with --save-detailed; seconds."""
    return {
        "output_lens": [tokens + 1] * requests,
        "ttfts": [0.1 + 0.001 * (index % 37) for index in range(requests)],
        "itls": [[0.001 + 0.00001 * (step % 11) for step in range(tokens)] for _ in range(requests)],
    }


def swept(folder: Path) -> None:
    """Keep a sweep in a run's folder."""
    rows = [(1, 300.0, 40.0, 60.0, 3.2, 1.0), (8, 2150.0, 70.0, 130.0, 3.7, 1.0)]
    rows += [(32, 6600.0, 240.0, 900.0, 4.8, 0.995), (128, 9400.0, 3100.0, 8800.0, 13.4, 0.41)]
    names = (
        "concurrency",
        "output_throughput",
        "median_ttft_ms",
        "p99_ttft_ms",
        "median_tpot_ms",
        "attainment",
    )
    around = {"document": "", "num_prompts": 200, "attainment_low": 0.3, "attainment_high": 1.0}
    points = [SweepPoint.model_validate(dict(zip(names, row, strict=True)) | around) for row in rows]
    sweep = Sweep(
        run_id=folder.name,
        environment="rehearsal",
        rehearsal=True,
        objective={"ttft": 2000, "tpot": 10},
        share=0.99,
        parameters={},
        points=tuple(points),
        best=Best(
            concurrency=32, attainment=0.995, attainment_low=0.972, attainment_high=0.999, fails_at=128
        ),
        finished=True,
    )
    write_sweep(sweep, folder / "sweep.json")
