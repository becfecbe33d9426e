"""kill -9 of the runner in the middle; the same line again ends converged."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess

import pytest

pytestmark = pytest.mark.slow

LINE = ("setup", "deploy", "--set", "rehearsal.time_scale=0.005")
MOMENTS = (
    ("2.2", 0.1),
    ("2.2", 0.8),
    ("3.1", 0.0),
    ("3.2.3", 0.0),
    ("3.2.3", 0.15),
    ("3.2.3", 0.4),
    ("2.4", 0.1),
    ("2.4", 0.6),
    ("4.3", 0.1),
    ("4.3", 1.0),
)


def kill_in(operator, section: str, seconds: float) -> bool:
    """Kill the runner so many seconds after a step began; False if the line ended before."""
    with operator.start(*LINE, "--json") as process:
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "step_started" and event["step"]["section"] == section:
                break
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    return process.returncode == -signal.SIGKILL


@pytest.mark.parametrize(("section", "seconds"), MOMENTS)
def test_the_same_line_again_ends_converged(operator, section, seconds):
    assert kill_in(operator, section, seconds)
    again = operator.inv(*LINE)
    assert again.code == 0, again.out + again.error
    posted = [write for write in operator.writes() if write.startswith("POST /v1/")]
    assert len(posted) == len(set(posted)), posted
    assert operator.inv("setup", "deploy", "--check").code == 0
    assert operator.inv("smoke").code == 0
