"""Variables of the sweep: what a server must keep, and how the highest load that keeps it is searched for."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from runbook.config.types import Count, Group

Milliseconds = Annotated[float, Field(gt=0)]
Concurrencies = Annotated[tuple[Count, ...], Field(strict=False, min_length=1)]


class Slo(Group):
    """The service level objective of a request; a benchmark counts the requests that meet all of it."""

    ttft_ms: Milliseconds | None = Field(
        description="time to first token at most, in milliseconds; null: any"
    )
    tpot_ms: Milliseconds | None = Field(
        description="time per further output token at most, in milliseconds; null: any"
    )
    e2el_ms: Milliseconds | None = Field(
        description="time to the last token at most, in milliseconds; null: any"
    )
    attainment: Annotated[float, Field(gt=0, le=1)] = Field(
        description="share of the requests that must meet all of it, for a load to keep the objective"
    )

    @property
    def limits(self) -> dict[str, float]:
        """The limits that are set, in milliseconds by the client's name of the latency."""
        told = {"ttft": self.ttft_ms, "tpot": self.tpot_ms, "e2el": self.e2el_ms}
        return {name: limit for name, limit in told.items() if limit is not None}


class Sweep(Group):
    """The search for the highest load that keeps the objective."""

    concurrency: Concurrencies = Field(
        description="the series: requests at the same time that are measured first, one run each"
    )
    waves: Count = Field(description="requests of a run, in multiples of its concurrency")
    min_prompts: Count = Field(description="requests of a run at least")
    precision_percent: Annotated[float, Field(gt=0, lt=100)] = Field(
        description="the search ends where the lowest load that fails is so little above the best"
    )
    max_runs: Count = Field(description="runs in all, the series among them")
    resume: bool = Field(
        description="go on with an interrupted sweep of the same parameters; false: begin anew"
    )
