"""Workers that are killed, a near side that is killed or interrupted: the same line goes on."""

from __future__ import annotations

import json
import os
import signal

import pytest

from tests.in_cluster_transfer.conftest import MANIFEST, Site, eventually, settings

SHARD = "model-00000-of-00000.safetensors"
ONE_SHARD = "rehearsal/made-1x8MiB"
HALF = 5_000_000


def patches(site: Site) -> int:
    """How often a Job was applied: twice for each, suspended and let go."""
    return sum(
        "/jobs/model-transfer-" in write for write in site.operator.writes() if write.startswith("PATCH")
    )


@pytest.mark.slow
def test_a_worker_that_is_killed_goes_on_in_mid_file(site: Site) -> None:
    site.fault("--path", "/lfs/", "--after", "1", "--kind", "stall", "--seconds", "3", "--times", "2")
    site.fault("--path", "/lfs/", "--kind", "truncate", "--bytes", str(HALF))
    words = settings(
        "killed",
        'checkpoint.include=["*.safetensors", "config.json"]',
        "transfer.workers=1",
        repository=ONE_SHARD,
    )
    with site.operator.start("step", "3.2.3", *words) as line:
        (pod,) = eventually(site.pods)
        name = pod["metadata"]["name"]
        eventually(lambda: "going on at" in site.log(name))
        for pid in site.processes():
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: _restarts(site) == 1)
        again = site.log(name, follow=True)
        out, error = line.communicate(timeout=60)
    assert line.returncode == 0, out + error
    first = next(json.loads(text) for text in again.splitlines() if "transferred" in text)
    assert first["done"] > HALF - (2 << 20)
    assert len(site.sessions("killed")) == 2, "what had arrived is not moved again"
    assert set(site.objects("killed")) == {SHARD, "config.json", MANIFEST}


def _restarts(site: Site) -> int:
    statuses = [s for pod in site.pods() for s in pod["status"].get("containerStatuses", ())]
    return sum(status["restartCount"] for status in statuses)


@pytest.mark.slow
def test_a_line_that_was_killed_joins_its_job(site: Site) -> None:
    site.operator.forget_requests()
    site.fault(
        "--path", "/lfs/", "--kind", "stall", "--seconds", "12"
    )  # the Job outlives the next line's start
    with site.operator.start("step", "3.2.3", *settings("joined")) as line:
        eventually(lambda: len(site.objects("joined")) > 3)
        line.kill()
        line.communicate()
    again = site.operator.inv("step", "3.2.3", *settings("joined"))
    assert again.code == 0, again.out + again.error
    assert patches(site) == 2
    sessions = site.sessions("joined")
    assert len(sessions) == len(set(sessions)) == len(set(site.objects("joined")) - {MANIFEST})
    assert site.left() == []


@pytest.mark.slow
def test_ctrl_c_leaves_the_job_and_says_so_and_cleanup_deletes_it(site: Site) -> None:
    site.fault("--path", "/lfs/", "--kind", "stall", "--seconds", "30")
    with site.operator.start("step", "3.2.3", *settings("interrupted")) as line:
        eventually(lambda: len(site.objects("interrupted")) > 3)
        line.send_signal(signal.SIGINT)
        out, error = line.communicate(timeout=60)
    (job,) = site.jobs()
    name = job["metadata"]["name"]
    assert f"job/{name} goes on in the cluster" in out + error
    other = site.operator.inv("step", "3.2.3", *settings("other"))
    assert f"job/{name} is moving another model" in other.out + other.error
    assert site.operator.inv("cleanup", *settings("interrupted")).code == 0
    assert site.left() == []
