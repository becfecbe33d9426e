"""`inv history` and `inv report`: what was run, and how it ended."""

from __future__ import annotations

import json
import shlex
import sys
import time
from pathlib import Path
from typing import Any

from runbook.cli.line import Line
from runbook.engine.errors import UserError
from runbook.engine.journal import read_runs
from runbook.measurement.document import Document, read
from runbook.report.measurement import document_line, document_lines


def show(line: Line, run: str) -> None:
    """List the kept runs, newest first, or show one.

    Args:
        line: its home folder is read.
        run: a run's id, or its beginning; empty means the list.
    """
    if run:
        _show_one(line, _find(line, run))
        return
    for document in read_runs(line.runs):
        print(json.dumps(document) if line.options.json else _with_benchmarks(line, document))


def page(line: Line, run: str, to: str) -> None:
    """Write a run as an HTML page, and its charts as files beside it, and say where.

    Args:
        line: its home folder is read and written.
        run: a run's id, or its beginning; empty means the last one.
        to: a folder, or a file that ends in .html; empty means the run's own folder.
    """
    document = _find(line, run)
    from runbook.report.page.writing import write_page

    written = write_page(line.runs, document, Path(to) if to else None)
    charts = [str(path) for path in written.charts]
    print(json.dumps({"page": str(written.page), "charts": charts}) if line.options.json else written.page)


def _find(line: Line, run: str) -> dict[str, Any]:
    for document in read_runs(line.runs):
        if document["run_id"].startswith(run):
            return document
    wanted = f"no run is called {run!r}" if run else "no run is kept"
    raise UserError(f"{wanted} under {line.runs}", remedy="all runs: inv history")


def _show_one(line: Line, document: dict[str, Any]) -> None:
    if line.options.json:
        print(json.dumps(document))
        return
    print(_summary(document))
    for outcome in document.get("outcomes", []):
        print("{section:<6} {name:<42} {status:<12} {seconds:>7.1f} s  {reason}".format_map(outcome))
    for benchmark in _benchmarks(line, document):
        print("\n".join(document_lines(benchmark)))


def _with_benchmarks(line: Line, document: dict[str, Any]) -> str:
    shown = [f"{'':10}{document_line(benchmark)}" for benchmark in _benchmarks(line, document)]
    return "\n".join([_summary(document), *shown])


def _benchmarks(line: Line, document: dict[str, Any]) -> list[Document]:
    """Read a run's benchmarks; what cannot be read is told, and hides no other run."""
    found = []
    for path in sorted((line.runs / document["run_id"]).glob("bench*.json")):
        try:
            found.append(read(path))
        except UserError as error:
            print(f"warning: {error.place}: {error.message}", file=sys.stderr)
    return sorted(found, key=lambda benchmark: (len(benchmark.id), benchmark.id))


def _summary(document: dict[str, Any]) -> str:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(document["started"]))
    end = {0: "done", 1: "failed", 2: "changes pending"}.get(document.get("exit_code", -1), "did not end")
    took = f"{document['seconds']:.1f} s" if "seconds" in document else ""
    typed = shlex.join(document["arguments"])
    who = f"{document['user']}@{document['host']}"
    return f"{document['run_id']}  {when}  {document['environment']:<12} {end:<16} {took:>8}  {typed}  {who}"
