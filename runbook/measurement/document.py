"""The document of one benchmark, `.runs/RUN/bench.json`: what was measured, and whether it counts."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runbook.engine.errors import Place, UserError
from runbook.engine.kept import keep

SCHEMA: Final = 2
FILE_NAME: Final = "bench.json"

Scalar = str | int | float | bool | None
VerdictName = Literal[
    "ok", "failed_requests", "truncated", "clamped", "client_saturated", "interrupted", "no_result"
]

FINGERPRINT: Final = (
    "model",
    "server_image",
    "server_digest",
    "server_flags",
    "server_env",
    "accelerator",
    "topology",
    "chips",
    "replicas",
    "workload",
    "dataset",
    "input_len",
    "output_len",
    "num_prompts",
    "num_warmups",
    "max_concurrency",
    "request_rate",
    "seed",
    "temperature",
    "client_image",
    "client_version",
    "placement",
)
"""Keys of a fingerprint: two runs that differ in one of them measured different things."""


class _Part(BaseModel):
    """A part of the document; what a later version of it adds is kept."""

    model_config = ConfigDict(frozen=True, extra="allow", ser_json_inf_nan="null")


class Finding(_Part):
    """One thing that was found, or that could not be checked.

    Args:
        name: a verdict's name, or `unchecked` where something could not be looked at; that alone leaves the
            verdict ok.
        evidence: what shows it, with figures.
        remedy: what the operator should do.
    """

    name: str
    evidence: str
    remedy: str


class Verdict(_Part):
    """Whether a run counts as a measurement; only `ok` does.

    Args:
        name: the worst of the findings.
        findings: the worst first.
    """

    name: VerdictName
    findings: tuple[Finding, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the run counts as a measurement."""
        return self.name == "ok"


class Derived(_Part):
    """What the figures come to for one chip and in money.

    Args:
        output_tokens_per_s_per_chip: the unit of the TPU recipes.
        total_tokens_per_s_per_chip: with the prompts' tokens.
        price_per_million_output_tokens: in the currency of `prices.currency`; None where no price is set.
    """

    output_tokens_per_s_per_chip: float | None = None
    total_tokens_per_s_per_chip: float | None = None
    price_per_million_output_tokens: float | None = None


class Document(_Part):
    """One run of the benchmark.

    Args:
        schema_version: `schema` in JSON; 2.
        id: the run's, with `-2` and so on for its repeats.
        run_id: the folder of `.runs/`.
        environment: whose variables held.
        started: when the client began, in seconds since 1970.
        rehearsal: whether the operator's own machine was measured; such figures are no TPU's.
        verdict: whether it counts.
        fingerprint: what was measured, under the names of FINGERPRINT; flat, to be compared key by key.
        result: figures under the client's names: latencies in ms (`median_ttft_ms`), throughputs a second
            (`output_throughput`), `duration` in s, counts. Empty where there is no result.
        derived: for one chip, and in money.
        client: the client's own JSON as it was saved; None where it was not found.
        job: the Job's name.
        arguments: the client's command line.
        full_precision: whether `result` is from that JSON, not from the rounded block.
    """

    model_config = ConfigDict(validate_by_name=True, serialize_by_alias=True)

    schema_version: Literal[2] = Field(default=SCHEMA, alias="schema")
    id: str
    run_id: str
    environment: str
    started: float
    rehearsal: bool
    verdict: Verdict
    fingerprint: dict[str, Scalar]
    result: dict[str, int | float]
    derived: Derived
    client: dict[str, Any] | None
    job: str
    arguments: tuple[str, ...]
    full_precision: bool


def file_name(number: int) -> str:
    """Name the file of a run's document in the run's folder.

    Args:
        number: of the round, counted from 1.
    """
    return FILE_NAME if number == 1 else FILE_NAME.replace(".", f"-{number}.")


def write(document: Document, path: Path) -> None:
    """Write a document, whole or not at all; what JSON cannot say, such as NaN, becomes null."""
    text = json.dumps(_finite(document.model_dump()), indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    keep(path, text)


def read(path: Path) -> Document:
    """Read a document.

    Raises:
        UserError: it is not there, or it is no document of this version.
    """
    place = Place.in_file(path)
    try:
        return Document.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except OSError as cause:
        raise UserError(f"cannot be read: {cause.strerror}", place=place) from cause
    except ValidationError as cause:
        first = cause.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "it"
        raise UserError(
            f"is no benchmark's document of schema {SCHEMA}: {where}: {first['msg']}", place=place
        ) from cause
    except ValueError as cause:
        raise UserError(f"is no JSON: {cause}", place=place) from cause


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value
