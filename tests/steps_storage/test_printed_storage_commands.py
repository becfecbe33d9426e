"""What is printed does what the step does: after the real gcloud ran it, nothing is left to change."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from runbook.engine.outcome import Status
from tests.steps_gke.workplace import Workplace

pytestmark = pytest.mark.clients

Run = Callable[[Sequence[str]], None]


@pytest.fixture
def gcloud(work: Workplace, tmp_path: Path) -> Run:
    if shutil.which("gcloud") is None:
        pytest.skip("gcloud is not on the PATH: the printed commands cannot be tried")
    endpoints = work.cloud.endpoints
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CLOUDSDK_")} | {
        "HOME": str(tmp_path),
        "CLOUDSDK_CONFIG": str(tmp_path / "gcloud"),
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1",
        "CLOUDSDK_CORE_DISABLE_FILE_LOGGING": "1",
        "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": endpoints["token_file"],
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE": endpoints["google"] + "/storage/v1/",
    }

    def run(argv: Sequence[str]) -> None:
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr

    return run


@pytest.mark.slow
def test_the_commands_of_section_3_and_of_its_undoing(work: Workplace, gcloud: Run) -> None:
    for uses, arguments in [
        ("storage.bucket", {}),
        ("storage.folder", {}),
        ("storage.iam_member", {}),
        ("storage.iam_member", {"state": "absent"}),
        ("storage.bucket", {"state": "absent"}),
    ]:
        planned = work.check(uses, **arguments)
        assert planned.status is Status.WOULD_CHANGE, (uses, planned.reason)
        for change in planned.changes:
            gcloud(change.command)
        assert work.check(uses, **arguments).status is Status.OK, uses
