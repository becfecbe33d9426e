"""Two rehearsed runs with their benchmarks, and a real browser that looks at the page of the second."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.acceptance.conftest import ROOT, Operator, new_operator
from tests.conftest import WITHOUT_CHROMIUM
from tests.report_page.documents import Told, measured

CHROMIUM = shutil.which("chromium")
ARTIFACTS = Path(os.environ.get("RUNBOOK_TEST_ARTIFACTS", ROOT / "artifacts"))
KEY = "sk-this-is-told-to-nobody"
FEW_AT_ONCE = "bench.max_concurrency=4"
"""More would make the client the bottleneck on a busy machine, and 5.2 refuses such a result."""

SCRIPT = "<script>document.title = 'taken'</script><img src=x onerror=alert(1)> $x$ & co"


@dataclass(frozen=True)
class Reported:
    """An operator, the ids of two runs that measured the same, and the page of the later one."""

    operator: Operator
    first: str
    second: str
    page: Path

    @property
    def folder(self) -> Path:
        """The later run's."""
        return self.operator.home / ".runs" / self.second


def last_run(operator: Operator) -> str:
    """Name the newest run."""
    newest: str = operator.json_lines("history", "--json")[0]["run_id"]
    return newest


@pytest.fixture(scope="session")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reported]:
    """Run the recipe and its benchmark, then the benchmark again, and report the second run."""
    chosen = ("server.api_key={env: THE_KEY}", f"smoke.prompt={SCRIPT}", FEW_AT_ONCE)
    settings = [word for setting in chosen for word in ("--set", setting)]
    for operator in new_operator(tmp_path_factory.mktemp("home"), {"THE_KEY": KEY}):
        ids = []
        for tasks in (["setup", "deploy", "smoke", "bench"], ["deploy", "smoke", "bench"]):
            ended = operator.inv(*tasks, *settings)
            assert ended.code == 0, ended.out + ended.error
            ids.append(last_run(operator))
            measured(operator.home / ".runs" / ids[-1], Told(output_throughput=8000.0 - 400.0 * len(ids)))
        ended = operator.inv("report", ids[1])
        assert ended.code == 0, ended.error
        yield Reported(operator, ids[0], ids[1], Path(ended.out.strip()))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start Debian's Chromium; skip, loudly, where there is none."""
    if CHROMIUM is None:
        pytest.skip(WITHOUT_CHROMIUM)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM)
        yield opened
        opened.close()
