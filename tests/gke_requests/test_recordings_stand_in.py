"""Where gcloud is missing its recordings stand in, and the run says so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = "tests/gke_requests/test_printed_commands.py"
WITHOUT_GCLOUD = {name: value for name, value in os.environ.items() if name != "RUNBOOK_TEST_GCLOUD"}


def run_of_tests(*arguments: str) -> str:
    """Run the tests on a PATH without gcloud; give what the run says."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", TESTS, *arguments],
        cwd=ROOT,
        env=WITHOUT_GCLOUD | {"PATH": str(Path(sys.executable).parent)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize("workers", ["0", "2"])
def test_recordings_stand_in_and_the_run_says_so(workers: str) -> None:
    said = run_of_tests("-k", "sends_what_the_runbook_sends and Gateway", "--numprocesses", workers)
    assert "THE REAL GCLOUD IS NOT ON THIS MACHINE" in said
    assert "2 kinds of changes were compared with recordings of it only" in said
    assert "skipped" not in said
