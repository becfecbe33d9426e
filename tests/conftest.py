"""What a run of the tests says at its end, beyond pytest's own words, and how it shares the tests out."""

from __future__ import annotations

import signal
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.together import FilesTogether

JUDGED_BY = "requests judged by"
WITHOUT_SSHD = "OPENSSH-SERVER IS NOT ON THIS MACHINE: NOTHING OVER SSH WAS TESTED"
WITHOUT_CHROMIUM = "CHROMIUM IS NOT ON THIS MACHINE: THE PAGE OF A RUN WAS NOT TESTED IN A BROWSER"
WITHOUT_APISERVER = (
    "KUBE-APISERVER IS NOT UNDER KUBEBUILDER_ASSETS: THE STAND-IN WAS NOT COMPARED WITH A REAL API SERVER"
)


def pytest_configure() -> None:
    """Let lines that tests type hear Ctrl-C: who starts the tests in the background has them ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many kinds of changes the real gcloud sends as the runbook does, or that it was not asked."""
    skipped: list[pytest.TestReport] = terminalreporter.getreports("skipped")
    for missing in (WITHOUT_SSHD, WITHOUT_CHROMIUM, WITHOUT_APISERVER):
        if any(missing in str(report.longrepr) for report in skipped):
            terminalreporter.section(missing, red=True)
    passed: list[pytest.TestReport] = terminalreporter.getreports("passed")
    judges = Counter(
        value for report in passed for name, value in report.user_properties if name == JUDGED_BY
    )
    if equal := judges["gcloud"]:
        terminalreporter.write_line(
            f"gcloud: {equal} of {equal + judges['recordings']} kinds of changes are "
            "sent by the real gcloud as by the runbook"
        )
    if recorded := judges["recordings"]:
        terminalreporter.section("THE REAL GCLOUD IS NOT ON THIS MACHINE", red=True)
        terminalreporter.write_line(f"{recorded} kinds of changes were compared with recordings of it only")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FilesTogether | None:
    """Share the tests out by file, with `--dist loadfile`, but leave some folders whole."""
    if config.getoption("dist") != "loadfile":
        return None
    from tests.together import FilesTogether

    return FilesTogether(config, log)
