"""All that the page says, ready for its template."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any, Final

from runbook.engine.shell import one_line, shell_text
from runbook.measurement.document import Document
from runbook.measurement.likeness import likeness
from runbook.report.comparison import unlike_text
from runbook.report.page.comparable import comparable, last_before
from runbook.report.page.deeds import Doing, doings
from runbook.report.page.figures import (
    Figure,
    LatencyRow,
    counts,
    headline,
    latencies,
    statistics,
    throughputs,
    values,
)
from runbook.report.page.sources import Kept
from runbook.report.page.wording import duration, end, moment, number

TONES: Final = {0: "good", 1: "bad", 2: "warn"}
VERDICTS: Final = {
    "ok": "it counts as a measurement",
    "failed_requests": "requests failed",
    "truncated": "answers were cut short",
    "clamped": "the server shortened what was asked for",
    "client_saturated": "the client was the bottleneck",
    "interrupted": "the server or the client was interrupted or disturbed",
    "no_result": "there is no result",
}


@dataclass(frozen=True)
class Verdict:
    """How something ended.

    Args:
        title: of what: the run, or the benchmark.
        word: such as `done` or `truncated`.
        tone: good, warn or bad.
        text: the same in words.
    """

    title: str
    word: str
    tone: str
    text: str


@dataclass(frozen=True)
class Benchmark:
    """A benchmark as the page shows it.

    Args:
        document: what is kept.
        before: the last comparable run's, where there is one.
        alike: all that are comparable, the oldest first, itself included.
        currency: of prices.
    """

    document: Document
    before: Document | None
    alike: Sequence[Document]
    currency: str

    @property
    def headline(self) -> list[Figure]:
        """The figures that people ask for first."""
        return headline(self.document, self.before)

    @property
    def throughputs(self) -> list[Figure]:
        """Throughputs, and the price of tokens."""
        return throughputs(self.document, self.before, self.currency)

    @property
    def changed(self) -> list[str]:
        """In what the server differs from that of the run before."""
        found = likeness(self.before, self.document, ()).compared if self.before else ()
        return [unlike_text(item) for item in found]

    @property
    def counts(self) -> list[Figure]:
        """Counts and times."""
        return counts(self.document)

    @property
    def statistics(self) -> list[str]:
        """The headings of the latencies' table."""
        return statistics(self.document)

    @property
    def latencies(self) -> list[LatencyRow]:
        """The rows of the latencies' table."""
        return latencies(self.document, self.before)

    @property
    def fingerprint(self) -> list[tuple[str, str]]:
        """What was measured, in words."""
        known = self.document.fingerprint.items()
        return [(name.replace("_", " "), "-" if said is None else str(said)) for name, said in known]

    @property
    def command(self) -> str:
        """The client's command line."""
        return shell_text(["vllm", *self.document.arguments])


@dataclass(frozen=True)
class View:
    """The page."""

    kept: Kept
    benchmark: Benchmark | None

    @property
    def title(self) -> str:
        """The tasks of the line."""
        return " ".join(self.kept.run["tasks"])

    @property
    def rehearsal(self) -> bool:
        """Whether the run was a rehearsal's."""
        told = [record["value"] for record in self.kept.variables if record["key"] == "provider"]
        return "rehearsal" in told or any(document.rehearsal for document in self.kept.benchmarks)

    @property
    def command(self) -> str:
        """The line as typed."""
        return one_line(self.kept.run["arguments"])

    @property
    def started(self) -> str:
        """When the run began."""
        return moment(self.kept.run["started"])

    @property
    def verdicts(self) -> list[Verdict]:
        """How the run ended, and each of its benchmarks that did not end alike."""
        return [_run_verdict(self.kept.run), *_benchmark_verdicts(self.kept.benchmarks)]

    @property
    def findings(self) -> list[tuple[str, str, str]]:
        """What was found about the benchmarks: name, evidence, remedy; each once."""
        found = [
            (finding.name, finding.evidence, finding.remedy)
            for document in self.kept.benchmarks
            for finding in document.verdict.findings
        ]
        return list(dict.fromkeys(found))

    @property
    def outcomes(self) -> list[dict[str, Any]]:
        """How the steps ended; empty where the run did not end."""
        ended: list[dict[str, Any]] = self.kept.run.get("outcomes") or [
            event["outcome"] for event in self.kept.events if event["event"] == "step_ended"
        ]
        return ended

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The steps that failed."""
        return [outcome for outcome in self.outcomes if outcome["error"]]

    @property
    def doings(self) -> list[Doing]:
        """The changes, step by step."""
        return doings(self.outcomes)

    @property
    def warnings(self) -> list[tuple[str, str]]:
        """What the run warned of: section, text; each once."""
        found = [
            ((event["step"] or {}).get("section", ""), event["text"])
            for event in self.kept.events
            if event["event"] == "warning_seen"
        ]
        return list(dict.fromkeys(found))

    @property
    def outputs(self) -> list[tuple[str, str, str]]:
        """What steps printed: section, name, text."""
        return [
            (event["step"]["section"], event["step"]["name"], event["text"])
            for event in self.kept.events
            if event["event"] == "output_seen"
        ]

    @property
    def flags(self) -> list[dict[str, Any]]:
        """The server's flags, with where each came from."""
        return [record for record in self.kept.variables if record["key"].startswith("server.flags.")]

    def contents(self, charts: Container[str]) -> list[tuple[str, str]]:
        """List the page's sections that hold something: id, name.

        Args:
            charts: the names of those that are there.
        """
        run = self.kept.run
        present = {
            "Figures": ("figures", self.benchmark),
            "Latencies": ("latency", "latency" in charts),
            "History": ("history", "history" in charts),
            "Sweep": ("sweep", "sweep" in charts),
            "Timeline": ("timeline", "timeline" in charts),
            "Steps": ("steps", self.outcomes),
            "Changes": ("changes", self.doings),
            "Cost": ("cost", (run.get("cost") or {}).get("bills")),
            "Warnings": ("warnings", self.warnings),
            "Printed": ("outputs", self.outputs),
            "What was measured": ("measured", self.benchmark),
            "Server flags": ("flags", self.flags),
            "Variables": ("variables", self.kept.variables),
            "Manifests": ("manifests", self.kept.manifests),
        }
        return [(section, name) for name, (section, there) in present.items() if there]

    @property
    def repeats(self) -> list[tuple[str, ...]]:
        """The run's benchmarks, where there are several: id, verdict, and the figures that are gated on."""
        several = self.kept.benchmarks if len(self.kept.benchmarks) > 1 else []
        return [
            (
                document.id,
                document.verdict.name,
                str(document.fingerprint.get("max_concurrency") or "-"),
                *(number(values(document).get(name)) for name in GATED),
            )
            for document in several
        ]


GATED: Final = ("output_throughput", "median_ttft_ms", "median_tpot_ms")


def view_of(kept: Kept, documents: Sequence[Document]) -> View:
    """Put together what the page says.

    Args:
        kept: the run.
        documents: the benchmarks of all runs, the oldest first.
    """
    chosen = _chosen(kept, documents)
    if chosen is None:
        return View(kept, None)
    alike = comparable(chosen, documents)
    return View(kept, Benchmark(chosen, last_before(chosen, alike), alike, _currency(kept)))


def _currency(kept: Kept) -> str:
    told = [record["value"] for record in kept.variables if record["key"] == "prices.currency"]
    return str(told[0]) if told and told[0] else ""


def _chosen(kept: Kept, documents: Sequence[Document]) -> Document | None:
    """Choose the benchmark whose figures are shown in full: the sweep's best, else the first.

    A sweep that was gone on with has points of an earlier run.
    """
    sweep = kept.sweep
    best = sweep.best.concurrency if sweep and sweep.best else None
    names = {point.document for point in (sweep.points if sweep else ()) if point.concurrency == best}
    swept = [document for document in (*kept.benchmarks, *documents) if document.id in names]
    return next(iter([*swept, *kept.benchmarks]), None)


def _run_verdict(run: dict[str, Any]) -> Verdict:
    code = run.get("exit_code")
    tally: dict[str, int] = {}
    for outcome in run.get("outcomes", ()):
        tally[outcome["status"]] = tally.get(outcome["status"], 0) + 1
    steps = ", ".join(f"{count} {status}" for status, count in tally.items())
    text = f"{steps} in {duration(run.get('seconds'))}" if steps else "no outcome was kept"
    return Verdict("Run", end(code), TONES.get(code, "bad") if code is not None else "bad", text)


def _benchmark_verdicts(documents: Sequence[Document]) -> list[Verdict]:
    """Tell how the benchmarks ended, each verdict once, the bad ones first."""
    names = [document.verdict.name for document in documents]
    several = len(names) > 1
    return [
        Verdict(
            "Benchmark",
            name.replace("_", " "),
            "good" if name == "ok" else "bad",
            f"{VERDICTS[name]}{f' ({names.count(name)} of {len(names)})' if several else ''}",
        )
        for name in sorted(set(names), key=lambda name: (name == "ok", name))
    ]
