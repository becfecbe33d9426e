"""A benchmark's figures and verdict as lines for people."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from runbook.measurement.document import Document, Verdict
from runbook.measurement.figures import unit_of

MAIN: Final[tuple[str, ...]] = (
    "completed",
    "failed",
    "output_throughput",
    "total_token_throughput",
    "median_ttft_ms",
    "p99_ttft_ms",
    "median_tpot_ms",
    "p99_tpot_ms",
    "median_itl_ms",
)
"""Figures that stand for a run where there is no room for all."""


def figure_lines(figures: Mapping[str, float], confirmed: Collection[str]) -> Iterator[str]:
    """Write one line a figure: name, value, unit.

    Args:
        confirmed: figures that a second source confirms; the others are marked with `?`.
    """
    for key, value in figures.items():
        mark = "" if key in confirmed else " ?"
        yield f"{key:<36} {number(value):>14} {unit_of(key)}{mark}".rstrip()
    if figures and not set(figures) <= set(confirmed):
        yield "?  nothing confirms it: it stands in one place only"


def verdict_lines(verdict: Verdict) -> Iterator[str]:
    """Write the verdict, and each finding with its remedy."""
    yield f"verdict      {verdict.name}"
    for finding in verdict.findings:
        yield f"{finding.name:<12} {finding.evidence}"
        yield f"{'':<12} -> {finding.remedy}"


def document_line(document: Document) -> str:
    """Write a benchmark as one line: verdict and main figures."""
    shown = [
        f"{key} {number(document.result[key])} {unit_of(key)}"
        for key in ("output_throughput", "median_ttft_ms", "median_tpot_ms")
        if key in document.result
    ]
    played = "REHEARSAL  " if document.rehearsal else ""
    return f"{document.id}  {played}{document.verdict.name}  {', '.join(shown)}".rstrip()


def document_lines(document: Document) -> Iterator[str]:
    """Write a benchmark as some lines: verdict, main figures, figures for one chip, costs."""
    yield document_line(document)
    main = {key: document.result[key] for key in MAIN if key in document.result}
    yield from (f"  {text}" for text in figure_lines(main, main.keys()))
    derived = {
        "output tokens for each chip": (document.derived.output_tokens_per_s_per_chip, "tok/s"),
        "a million output tokens cost": (document.derived.price_per_million_output_tokens, ""),
    }
    for name, (value, unit) in derived.items():
        if value is not None:
            yield f"  {name:<36} {number(value):>14} {unit}".rstrip()
    yield from (f"  {text}" for text in verdict_lines(document.verdict))


def number(value: float) -> str:
    """Write a figure with as many places as say something."""
    if isinstance(value, int):
        return str(value)
    return f"{value:.2f}" if abs(value) >= 0.1 or value == 0 else f"{value:.3g}"
