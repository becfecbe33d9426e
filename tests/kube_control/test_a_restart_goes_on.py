"""What a cluster is after its stand-in was stopped, or killed, and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.kube_control.kube_stand_in import KEY, Json, Kube, StandIn, condition, facts, phase, wait
from tests.kube_control.test_deployments_roll_out import deployment, rolled_out
from tests.kube_control.test_pods_run_as_processes import pod

KILLED = """
import pathlib, sys, time
from tests.kube_control.kube_stand_in import StandIn, facts, condition
from tests.kube_control.test_pods_run_as_processes import pod
stand_in = StandIn(pathlib.Path(sys.argv[1]))
kube = stand_in.create(facts())
kube.apply(pod("family", "sh", "-c", "sleep 1000 & echo $!; wait"))
kube.wait("Pod", "family", until=condition("Ready"))
while not kube.log("family"):
    time.sleep(0.02)
print(kube.log("family"), flush=True)
time.sleep(100)
"""


def started_again(home: Path) -> tuple[StandIn, Kube]:
    stand_in = StandIn(home)
    stand_in.run(stand_in.clusters.start())
    return stand_in, stand_in.create(facts())


def test_containers_start_again_and_count_it(stand_in: StandIn) -> None:
    kube = stand_in.create(facts())
    kube.apply(deployment())
    kube.wait("Deployment", "server", until=rolled_out)
    (before,) = kube.pods(app="server")
    stand_in.stop()
    stand_in, again = started_again(stand_in.home)
    try:
        assert again.server == kube.server
        name = before["metadata"]["name"]
        found = again.wait(
            "Pod", name, until=lambda now: condition("Ready")(now) and restarts(now or {}) == 1
        )
        last = found["status"]["containerStatuses"][0]["lastState"]["terminated"]
        assert last["exitCode"] == 137
        again.wait("Deployment", "server", until=rolled_out)
        assert len(again.pods(app="server")) == 1
    finally:
        stand_in.stop()


def restarts(found: Json | None) -> int:
    assert found is not None
    count: int = found["status"]["containerStatuses"][0]["restartCount"]
    return count


def test_a_pod_that_is_never_restarted_has_failed(stand_in: StandIn) -> None:
    kube = stand_in.create(facts())
    kube.apply(pod("once", "sleep", "100", spec={"restartPolicy": "Never"}))
    kube.apply(pod("done", "true", spec={"restartPolicy": "Never"}))
    kube.wait("Pod", "once", until=condition("Ready"))
    kube.wait("Pod", "done", until=phase("Succeeded"))
    stand_in.stop()
    stand_in, again = started_again(stand_in.home)
    try:
        again.wait("Pod", "once", until=phase("Failed"))
        assert phase("Succeeded")(again.get("Pod", "done"))
    finally:
        stand_in.stop()


def test_a_killed_stand_in_leaves_no_process_behind(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(home)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    ) as killed:
        assert killed.stdout is not None
        child = int(killed.stdout.readline())
        killed.send_signal(signal.SIGKILL)
    wait(lambda: is_gone(child))
    stand_in, kube = started_again(home)
    try:
        found = kube.wait("Pod", "family", until=lambda now: restarts(now) == 1)
        assert found["spec"]["nodeName"] == "gke-default"
    finally:
        stand_in.stop()


def is_gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_deleted_cluster_is_forgotten(stand_in: StandIn) -> None:
    kube = stand_in.create(facts())
    kube.apply(pod("family", "sleep", "1000"))
    kube.wait("Pod", "family", until=condition("Ready"))
    stand_in.run(stand_in.clusters.delete(KEY))
    assert list((stand_in.home / "kubernetes").iterdir()) == []
    anew = stand_in.create(facts())
    assert anew.get("Pod", "family") is None


def test_the_key_of_the_authority_is_for_its_owner_only(stand_in: StandIn) -> None:
    assert (stand_in.home / "ca.key").stat().st_mode & 0o777 == 0o600
    before = (stand_in.home / "ca.pem").read_text()
    stand_in.stop()
    again = StandIn(stand_in.home)
    again.stop()
    assert (stand_in.home / "ca.pem").read_text() == before
