"""A sweep, `.runs/RUN/sweep.json`: what each load gave, and the highest that keeps the objective."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runbook.engine.errors import FailedError, Place, UserError
from runbook.engine.kept import keep
from runbook.measurement.document import Document
from runbook.measurement.statistics import wilson

SCHEMA: Final = 1
FILE_NAME: Final = "sweep.json"


class _Part(BaseModel):
    """A part of the file; what a later version of it adds is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class SweepPoint(_Part):
    """One load, measured.

    Args:
        concurrency: requests at the same time.
        document: id of the benchmark's document.
        num_prompts: requests in all.
        output_throughput: tokens a second.
        median_ttft_ms: and the other latencies; None where the client was not asked for them.
        attainment: share of the requests that met the objective.
        attainment_low: the Wilson interval of 95 % around it.
        attainment_high: its upper end.
    """

    concurrency: int
    document: str
    num_prompts: int
    output_throughput: float
    median_ttft_ms: float | None = None
    p99_ttft_ms: float | None = None
    median_tpot_ms: float | None = None
    attainment: float
    attainment_low: float
    attainment_high: float

    def meets(self, share: float) -> bool:
        """Whether enough of its requests met the objective."""
        return self.attainment >= share

    def is_certain(self, share: float) -> bool:
        """Whether another run of the same load would most likely say the same."""
        return not self.attainment_low < share <= self.attainment_high


class UnderWay(_Part):
    """A load that is being measured.

    Args:
        concurrency: requests at the same time.
        job: the Job's name.
        kept: where its document will be, below `.runs/`.
    """

    concurrency: int
    job: str
    kept: str


class Best(_Part):
    """The highest load that keeps the objective.

    Args:
        concurrency: requests at the same time.
        attainment: share of the requests that met the objective, with its interval.
        fails_at: the lowest load above it that does not; None where none was measured.
    """

    concurrency: int
    attainment: float
    attainment_low: float
    attainment_high: float
    fails_at: int | None = None


class Sweep(_Part):
    """A sweep.

    Args:
        schema_version: `schema` in JSON; 1.
        run_id: the folder of `.runs/`.
        environment: whose variables held.
        rehearsal: whether stand-ins measured each other; such figures are no TPU's.
        objective: limits in ms by the latency's short name.
        share: of the requests that must meet it.
        parameters: what must be the same for a sweep to be gone on with, flat.
        points: in the order of their measurement.
        under_way: what an interruption would leave.
        best: None where no load keeps the objective, or none was measured yet.
        finished: whether the search has come to its end.
    """

    model_config = ConfigDict(validate_by_name=True, serialize_by_alias=True)

    schema_version: Literal[1] = Field(default=SCHEMA, alias="schema")
    run_id: str
    environment: str
    rehearsal: bool
    objective: dict[str, float]
    share: float
    parameters: dict[str, Any]
    points: tuple[SweepPoint, ...] = ()
    under_way: UnderWay | None = None
    best: Best | None = None
    finished: bool = False

    @property
    def curve(self) -> list[SweepPoint]:
        """The points by load."""
        return sorted(self.points, key=lambda point: point.concurrency)


def point(document: Document) -> SweepPoint:
    """Take a load's figures from its benchmark.

    Raises:
        FailedError: the client did not tell how many requests met the objective.
    """
    figures = document.result
    if not {"request_goodput", "request_throughput", "completed"} <= figures.keys():
        raise FailedError(
            f"{document.id}: the client did not tell how many requests met the objective",
            remedy="a vllm bench serve that knows --goodput, such as the server's own image",
        )
    completed = int(figures["completed"])
    met = round(figures["request_goodput"] / figures["request_throughput"] * completed)
    low, high = wilson(met, completed)
    return SweepPoint(
        concurrency=int(document.fingerprint.get("max_concurrency") or 0),
        document=document.id,
        num_prompts=completed,
        output_throughput=figures["output_throughput"],
        median_ttft_ms=figures.get("median_ttft_ms"),
        p99_ttft_ms=figures.get("p99_ttft_ms"),
        median_tpot_ms=figures.get("median_tpot_ms"),
        attainment=met / completed,
        attainment_low=low,
        attainment_high=high,
    )


def write_sweep(sweep: Sweep, path: Path) -> None:
    """Write a sweep, whole or not at all."""
    keep(path, sweep.model_dump_json(indent=1) + "\n")


def read_sweep(path: Path) -> Sweep:
    """Read a sweep.

    Raises:
        UserError: it is not there, or it is no sweep of this version.
    """
    place = Place.in_file(path)
    try:
        return Sweep.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as cause:
        raise UserError(f"cannot be read: {cause.strerror}", place=place) from cause
    except ValidationError as cause:
        first = cause.errors(include_url=False)[0]
        raise UserError(f"is no sweep of schema {SCHEMA}: {first['msg']}", place=place) from cause


def last_sweep(runs: Path, environment: str, parameters: Mapping[str, Any]) -> Sweep | None:
    """Find the last sweep with these parameters; None where there is none.

    Args:
        runs: the folder .runs/.
        environment: whose it must be.
        parameters: what must be equal.
    """
    for path in sorted(runs.glob(f"*/{FILE_NAME}"), reverse=True):
        try:
            found = read_sweep(path)
        except UserError:
            continue  # of another version: it cannot be gone on with
        if found.environment == environment and found.parameters == parameters:
            return found
    return None
