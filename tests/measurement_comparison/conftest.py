"""Benchmarks as an operator's .runs/ holds them, and the operator who compares them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runbook.measurement.document import Derived, Document, Verdict, file_name, write
from tests.acceptance import conftest as acceptance

SERVER: dict[str, Any] = {
    "model": "openai/gpt-oss-120b@main",
    "server_image": "vllm/vllm-tpu:old",
    "server_digest": "sha256:01d",
    "server_flags": '{"max-model-len":9216,"max-num-seqs":256}',
    "accelerator": "tpu7x",
    "topology": "2x2x1",
    "chips": 4,
    "replicas": 1,
    "dataset": "random",
    "input_len": 1024,
    "output_len": 1024,
    "num_prompts": 100,
    "seed": 0,
    "client_image": "vllm/vllm-tpu:old",
    "placement": "cpu",
}
QUIET = (1.0, 0.999, 1.001, 1.0005, 0.9995)
"""Runs that vary by a tenth of a percent."""


def job_of(run: str) -> str:
    """Name the Job that a round has made."""
    return f"vllm-benchmark-{run}"


@dataclass(frozen=True)
class Ended(acceptance.Ended):
    """A line that has ended, and may have told one object."""

    @property
    def record(self) -> dict[str, Any]:
        """The one object of --json."""
        found: dict[str, Any] = json.loads(self.out)
        return found


@dataclass
class Bench:
    """An operator with benchmarks in .runs/.

    Args:
        home: RUNBOOK_HOME.
    """

    home: Path
    clock: float = 1_790_000_000.0

    def measured(
        self,
        run_id: str,
        factors: Sequence[float] = QUIET[:3],
        *,
        speed: float = 1.0,
        verdict: Any = "ok",
        rehearsal: bool = False,
        folder: Path | None = None,
        job: str = "",
        **fingerprint: Any,
    ) -> None:
        """Keep a line's rounds, later than all before.

        Args:
            factors: of throughput, one for each round.
            speed: of the server; 0.95 is 5 % slower.
            folder: where the documents go, if not to .runs/.
            job: that has been kept before, and is kept again as it is; empty: each round has its own.
            fingerprint: what is other than usual.
        """
        for number, factor in enumerate(factors, 1):
            name = run_id if number == 1 else f"{run_id}-{number}"
            self.clock += 0 if job else 60
            throughput = 6000 * factor * speed
            found = Document(
                id=name,
                run_id=run_id,
                environment="gke",
                started=self.clock,
                rehearsal=rehearsal,
                verdict=Verdict(name=verdict),
                fingerprint=SERVER | fingerprint,
                result={
                    "completed": 100,
                    "output_throughput": throughput,
                    "median_tpot_ms": 40 / speed / (1 + (factor - 1) / 4),
                    "median_ttft_ms": 900.0,
                    "p99_ttft_ms": 2000.0,
                },
                derived=Derived(output_tokens_per_s_per_chip=throughput / 4),
                client=None,
                job=job or job_of(name),
                arguments=(),
                full_precision=True,
            )
            write(
                found, folder / f"{name}.json" if folder else self.home / ".runs" / run_id / file_name(number)
            )

    def inv(self, *words: str) -> Ended:
        """Type a line and wait for its end."""
        ended = acceptance.Operator(self.home, {}).inv(*words, timeout=240)
        assert "Traceback" not in ended.out + ended.error
        return Ended(ended.code, ended.out, ended.error)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """An operator who has measured nothing yet."""
    return Bench(tmp_path)
