"""Whether a run of the benchmark counts as a measurement: apart from the exit code, which says nothing.

The client exits with 0 when every request failed, and when the server stopped in mid-answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, get_args

from runbook.measurement.asked import Asked
from runbook.measurement.details import output_lengths
from runbook.measurement.document import Finding, Verdict, VerdictName
from runbook.measurement.reading import Reading
from runbook.measurement.server import Counters, Look

UNCHECKED: Final = "unchecked"
"""The name of a finding that something could not be looked at; it leaves a verdict ok."""

MARGIN: Final = 16
"""Tokens that a random prompt may be longer than asked for."""

_SLOWER: Final = 1.5
"""How many times longer than by the server's own clock a request may take as its client sees it."""

_SLOWER_S: Final = 2.0
"""Seconds that a request must take longer by then: connecting a few thousand at once takes some time too."""
_BUNCHED: Final = 0.05
_OTHERS: Final = 0.02
"""The share of its tokens that others may add to a run: two may differ by that (bench.tolerance_percent)."""

_ORDER: Final[tuple[VerdictName, ...]] = (
    "interrupted", "no_result", "failed_requests", "clamped", "truncated", "client_saturated", "ok",
)  # fmt: skip


@dataclass(frozen=True)
class Witness:
    """What is known of a run beside the client's output.

    Args:
        interruption: how the run was ended from outside; empty where it was not, or where that is unknown.
        before: the server before it; None where nobody looked.
        after: the server after it.
        ahead: requests that the client sent beside those that it counts: the ready check, and warm-ups.
        job_failed: why the Job failed; empty where it did not.
    """

    interruption: str = ""
    before: Look | None = None
    after: Look | None = None
    ahead: int = 0
    job_failed: str = ""


@dataclass
class _Case:
    """One run to be judged, and what was found so far."""

    reading: Reading
    asked: Asked
    witness: Witness
    findings: list[Finding] = field(default_factory=list)

    @property
    def completed(self) -> int:
        return int(self.reading.figures.get("completed", 0))

    @property
    def output_tokens(self) -> int:
        return int(self.reading.figures.get("total_output_tokens", 0))


def judge(reading: Reading, asked: Asked, witness: Witness | None = None) -> Verdict:
    """Judge a run by everything that is known of it.

    A kept document that was no measurement stays none: more was known of it then.

    Args:
        reading: the client's output.
        asked: what it was asked for, where that is known better than from its output.
        witness: what else is known; None where there is nothing but the output.
    """
    if reading.kept and not reading.kept.ok:
        return reading.kept
    case = _Case(reading, asked.or_else(reading.asked), witness or Witness())
    found = [*_interrupted(case), *_no_result(case)]
    if reading.complete:
        missing = [*_failed(case), *_short(case)]  # their tokens are the server's alone
        found += [*(missing or _disturbed(case)), *_saturated(case)]
    ranked = sorted(found, key=lambda finding: _ORDER.index(_named(finding)))
    name = _named(ranked[0]) if ranked else "ok"
    return Verdict(name=name, findings=(*ranked, *_unchecked(case)))


def _named(finding: Finding) -> VerdictName:
    return next(name for name in get_args(VerdictName) if name == finding.name)


def _interrupted(case: _Case) -> Iterator[Finding]:
    told = case.witness.interruption
    progress = case.reading.progress
    if told:
        yield Finding(name="interrupted", evidence=told, remedy="run it again, and let it end by itself")
    elif not case.reading.block and not case.reading.figures and progress and not progress.full:
        yield Finding(
            name="interrupted",
            evidence=f"the output ends after {progress.done} of {progress.total} requests{_earlier(case)}",
            remedy="run it again; a longer bench.timeout_s where its deadline ended it",
        )
    yield from _restarted(case.witness)


def _earlier(case: _Case) -> str:
    return "; the result before it is an earlier run's" if case.reading.cut else ""


def _restarted(witness: Witness) -> Iterator[Finding]:
    if witness.before and witness.after:
        evidence = _change(witness.before, witness.after)
        if evidence:
            remedy = "find out why with inv doctor, then measure again"
            yield Finding(name="interrupted", evidence=evidence, remedy=remedy)


def _change(before: Look, after: Look) -> str:
    """Say what became of the Pods that are measured; empty where they are the same, and never stopped."""
    earlier = {pod: before.restarts[pod] for pod in before.ready}
    left = {pod: after.restarts[pod] for pod in before.ready & after.restarts.keys()}
    if earlier != left:
        now = left | {pod: after.restarts[pod] for pod in after.ready}
        return f"the server was started anew or ended meanwhile: restarts {_told(earlier)}, then {_told(now)}"
    if before.ready and after.ready and before.ready != after.ready:
        names = [", ".join(sorted(look.ready)) for look in (before, after)]
        return f"other Pods of the server were ready: {names[0]}, then {names[1]}"
    if before.counters and after.counters and after.counters.since(before.counters) is None:
        return "the server's counters began anew"
    return ""


def _told(restarts: Mapping[str, int]) -> str:
    return ", ".join(f"{pod}: {count}" for pod, count in sorted(restarts.items())) or "no Pod"


def _no_result(case: _Case) -> Iterator[Finding]:
    reading = case.reading
    if not reading.complete:
        last = f"; its last error: {reading.last_error}" if reading.last_error else ""
        nothing = f"the client printed no result{_earlier(case)}{last}"
        why = "the result is not whole" if reading.block else nothing
        yield Finding(
            name="no_result", evidence=why, remedy="read the log's end; inv doctor names what it knows"
        )
    elif case.witness.job_failed:
        yield Finding(
            name="no_result", evidence=f"the Job {case.witness.job_failed}", remedy="read the log's end"
        )
    if reading.contradictions:
        yield Finding(
            name="no_result",
            evidence=f"the output contradicts itself: {'; '.join(reading.contradictions[:3])}",
            remedy="fetch the log again, whole; no figure of this copy can be trusted",
        )


def _failed(case: _Case) -> Iterator[Finding]:
    failed, completed = int(case.reading.figures.get("failed", 0)), case.completed
    prompts = case.asked.prompts
    why = f": {case.reading.failures[0].partition(': ')[2]}" if case.reading.failures else ""
    remedy = "look for them in the server's log; the client tells the HTTP reason only"
    if failed or case.reading.failures:
        evidence = f"{failed} of {completed + failed} requests failed{why}"
        yield Finding(name="failed_requests", evidence=evidence, remedy=remedy)
    elif prompts is not None and completed != prompts:
        evidence = f"{completed} of {prompts} requests were answered"
        yield Finding(name="failed_requests", evidence=evidence, remedy=remedy)
    elif not completed:
        yield Finding(name="failed_requests", evidence="no request was answered", remedy=remedy)


def _short(case: _Case) -> Iterator[Finding]:
    length = case.asked.output_len
    if length is None or not case.completed:
        return
    expected = case.completed * length
    missing = expected - case.output_tokens
    counted = f"{case.output_tokens} of {expected} tokens arrived"
    if missing < 0:
        evidence = f"{case.output_tokens} tokens arrived, and only {expected} were asked for"
        remedy = "the output is not of this run, or --output-len is wrong"
        yield Finding(name="no_result", evidence=evidence, remedy=remedy)
    elif missing and _is_clamped(case, missing, length):
        yield Finding(
            name="clamped",
            evidence=f"{counted}: the server cut answers where prompt and answer reached its max-model-len",
            remedy=f"bench.input_len at most max-model-len - bench.output_len - {MARGIN}",
        )
    elif missing:
        yield Finding(
            name="truncated",
            evidence=f"{counted}: answers were cut short",
            remedy="the server stopped or dropped connections: its log and inv doctor; then measure again",
        )


def _is_clamped(case: _Case, missing: int, length: int) -> bool:
    """Tell answers that the server shortened alike from answers that broke off."""
    asked, total = case.asked, int(case.reading.figures.get("total_input_tokens", 0))
    lengths = output_lengths(case.reading.client)
    if lengths:
        return min(lengths) >= length - MARGIN
    if asked.max_model_len is not None and total + case.output_tokens == case.completed * asked.max_model_len:
        return True
    surplus = None if asked.input_len is None else total - case.completed * asked.input_len
    return missing == surplus or (missing % case.completed == 0 and missing // case.completed <= MARGIN)


def _disturbed(case: _Case) -> Iterator[Finding]:
    """Compare the tokens that the server counted with the client's: the rest went to another load.

    One answer more is let pass: a single question does not change a measurement.
    """
    during, length = _during(case), case.asked.output_len
    if during is None or length is None:
        return
    others = during.generated - case.output_tokens - case.witness.ahead * length
    if others > max(_OTHERS * case.output_tokens, length):
        yield Finding(
            name="interrupted",
            evidence=f"another load ran meanwhile: the server generated {during.generated:.0f} tokens, "
            f"{others:.0f} more than this client asked for",
            remedy="see that nothing else asks the server, then measure again",
        )


def _saturated(case: _Case) -> Iterator[Finding]:
    """Compare how long a request took by the server's clock and by the client's: the rest is the client's."""
    seen, own = _client_latency(case), _server_latency(case)
    if seen is None or own is None:
        return
    if seen > own * _SLOWER and seen - own > _SLOWER_S:
        bunched = "; it read the tokens in bunches" if _bunched(case) else ""
        yield Finding(
            name="client_saturated",
            evidence=f"a request took {own:.3f} s in the server and {seen:.3f} s for the client{bunched}",
            remedy="more bench.cpu, fewer requests at once (bench.max_concurrency), or a node without others",
        )


def _during(case: _Case) -> Counters | None:
    """Give what the server counted during the run; None where that is not known."""
    before, after = case.witness.before, case.witness.after
    if not (before and after and before.counters and after.counters):
        return None
    return after.counters.since(before.counters)


def _server_latency(case: _Case) -> float | None:
    during = _during(case)
    return during.latency_s / during.latencies if during and during.latencies else None


def _client_latency(case: _Case) -> float | None:
    """Give the mean seconds of a request, by its own figure or by its parts."""
    figures = case.reading.figures
    if "mean_e2el_ms" in figures:
        return figures["mean_e2el_ms"] / 1000
    if not {"mean_ttft_ms", "mean_tpot_ms"} <= figures.keys() or not case.completed:
        return None
    tokens = case.output_tokens / case.completed
    return (figures["mean_ttft_ms"] + figures["mean_tpot_ms"] * max(tokens - 1, 0)) / 1000


def _bunched(case: _Case) -> bool:
    figures = case.reading.figures
    tpot = figures.get("median_tpot_ms", 0)
    return tpot > 0 and figures.get("median_itl_ms", tpot) < tpot * _BUNCHED


def _unchecked(case: _Case) -> Iterator[Finding]:
    reading, asked = case.reading, case.asked
    if not reading.complete:
        return
    unknown = {
        "whether every request was answered": asked.prompts is None and "failed" not in reading.figures,
        "whether answers have their full length": asked.output_len is None,
    }
    if any(unknown.values()):
        missing = " and ".join(what for what, is_unknown in unknown.items() if is_unknown)
        remedy = "give --prompts and --output-len"
        yield Finding(name=UNCHECKED, evidence=f"not known: {missing}", remedy=remedy)
    alone = [key for key in reading.figures if key not in reading.confirmed]
    if alone:
        yield Finding(
            name=UNCHECKED,
            evidence=f"{len(alone)} of {len(reading.figures)} figures stand in one place only, so that a "
            "digit changed on the way would not show",
            remedy="read a log that carries the saved JSON, as the runbook's Job writes it",
        )
    if _server_latency(case) is None:
        yield _not_timed(case)
    yield from _not_counted(case)
    yield from _unready(case.witness)


def _unready(witness: Witness) -> Iterator[Finding]:
    before, after = witness.before, witness.after
    if before is None or after is None or after.ready or not before.ready:
        return
    evidence = f"why {', '.join(sorted(before.ready))} was not ready at the end, and had not restarted"
    remedy = "look at the events of its readiness probe: inv doctor"
    yield Finding(name=UNCHECKED, evidence=evidence, remedy=remedy)


def _not_timed(case: _Case) -> Finding:
    alone = "" if _during(case) else ", and whether another load ran meanwhile"
    hint = ""
    if _bunched(case):
        hint = "; median ITL near 0 with a TPOT above it: it read the tokens in bunches"
    return Finding(
        name=UNCHECKED,
        evidence=f"whether the client kept up{alone}: the server's own counters are not known{hint}",
        remedy="let the runbook run and follow it (inv bench), which reads /metrics before and after",
    )


def _not_counted(case: _Case) -> Iterator[Finding]:
    """Say where the client measured more than the server that was asked: its counter tells nothing then."""
    during, length = _during(case), case.asked.output_len
    if during and length and during.generated < case.output_tokens * (1 - _OTHERS) - length:
        yield Finding(
            name=UNCHECKED,
            evidence="whether another load ran meanwhile: the server that was asked generated "
            f"{during.generated:.0f} tokens, and the client had {case.output_tokens}",
            remedy="see that the one Pod of the runbook's server answers for its Service",
        )
