"""A sweep as lines for people and as a record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from runbook.measurement.sweep import Sweep, SweepPoint
from runbook.report.comparison import REHEARSED
from runbook.report.measurement import number

_HEAD = ("at once", "requests", "tok/s", "median TTFT", "p99 TTFT", "median TPOT", "within the objective")


def sweep_lines(sweep: Sweep) -> Iterator[str]:
    """Write the curve, a line for each load, the notes, and last what was found."""
    yield "{:>7} {:>9} {:>12} {:>12} {:>12} {:>12}  {}".format(*_HEAD)
    for point in sweep.curve:
        yield _row(point, sweep.share)
    yield from (f"note       {note}" for note in notes(sweep))
    yield f"OBJECTIVE  {objective_text(sweep)}"
    yield f"SWEEP      {found_text(sweep)}"


def sweep_record(sweep: Sweep) -> dict[str, Any]:
    """Turn a sweep into a record: what sweep.json holds, with the notes."""
    return {"event": "sweep", **sweep.model_dump(), "exit_code": exit_code(sweep), "notes": notes(sweep)}


def exit_code(sweep: Sweep) -> int:
    """Judge as a process: 0 a load was found, 2 none keeps the objective."""
    return 0 if sweep.best else 2


def notes(sweep: Sweep) -> list[str]:
    """List what the reader should know."""
    return [*([REHEARSED] if sweep.rehearsal else []), *_doubts(sweep)]


def objective_text(sweep: Sweep) -> str:
    """Say what was to be kept."""
    limits = ", ".join(f"{name} at most {limit:g} ms" for name, limit in sweep.objective.items())
    return f"{limits}, by {sweep.share:.2%} of the requests or more"


def found_text(sweep: Sweep) -> str:
    """Say what was found."""
    best = sweep.best
    if best is None:
        return "no load that was measured keeps the objective"
    above = f"{best.fails_at} do not" if best.fails_at else "no load above was measured"
    found = next(point for point in sweep.points if point.concurrency == best.concurrency)
    throughput = f"{number(found.output_throughput)} output tokens/s"
    return f"{best.concurrency} requests at once keep the objective, with {throughput}; {above}"


def share_text(point: SweepPoint) -> str:
    """Say how many requests met the objective, and between what that is known."""
    return f"{point.attainment:.1%} ({point.attainment_low:.1%} to {point.attainment_high:.1%})"


def _row(point: SweepPoint, share: float) -> str:
    latencies = (point.median_ttft_ms, point.p99_ttft_ms, point.median_tpot_ms)
    cells = " ".join(f"{'-' if value is None else f'{value:.1f} ms':>12}" for value in latencies)
    kept = "keeps" if point.meets(share) else "fails"
    doubt = "" if point.is_certain(share) else " ?"
    head = f"{point.concurrency:>7} {point.num_prompts:>9} {point.output_throughput:>12.2f} {cells}"
    return f"{head}  {share_text(point)} {kept}{doubt}"


def _doubts(sweep: Sweep) -> Iterator[str]:
    share, best = sweep.share, sweep.best.concurrency if sweep.best else 0
    if unsure := _loads(point for point in sweep.curve if not point.is_certain(share)):
        yield f"? at {unsure}: so few requests do not tell on which side of {share:.2%} it is"
    below = (point for point in sweep.curve if point.concurrency < best)
    if odd := _loads(point for point in below if not point.meets(share)):
        yield f"{odd} at once failed, and more did not: chance, or a server just begun"
    if sweep.best and sweep.best.fails_at is None:
        yield "every load was kept: the highest may be higher; a longer --concurrency finds it"
    if not sweep.finished:
        yield "the search was interrupted; the same line goes on"


def _loads(points: Iterable[SweepPoint]) -> str:
    return ", ".join(str(point.concurrency) for point in points)
