"""A run as one self-contained HTML page: how each step ended, what it changed, how long it took."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from runbook.engine.shell import one_line
from runbook.measurement.document import read


def write_page(folder: Path, document: dict[str, Any]) -> Path:
    """Write `report.html` beside a run's journal.

    Args:
        folder: the run's own, under .runs/.
        document: its run.json.

    Returns:
        The page's path.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(["html", "j2"]),
        undefined=StrictUndefined,
    )
    environment.filters["command"] = one_line
    environment.filters["value"] = _value
    outcomes = document.get("outcomes", [])
    bench = folder / "bench.json"
    text = environment.get_template("page.html.j2").render(
        run=document,
        started=time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(document["started"])),
        outcomes=outcomes,
        longest=max((outcome["seconds"] for outcome in outcomes), default=0),
        verdict=_verdict(document),
        bench=_benchmark(bench) if bench.exists() else None,
    )
    page = folder / "report.html"
    page.write_text(text)
    return page


def _benchmark(path: Path) -> dict[str, Any]:
    found = read(path)
    return {"verdict": found.verdict.name, "rehearsal": found.rehearsal, **found.result}


def _verdict(document: dict[str, Any]) -> str:
    words = {0: "done", 1: "failed", 2: "changes pending"}
    return words.get(document.get("exit_code", -1), "did not end")


def _value(value: Any) -> str:
    if value is None:
        return "absent"
    return value if isinstance(value, str) else json.dumps(value)
