"""4.3 ends within two seconds of a stuck state being visible in the API, and names cause and remedy."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from runbook.clients.kube.objects import Object, Reference
from runbook.engine.errors import FailedError
from tests.steps_kube.deployment_place import SERVER, Place

SECONDS = 2.0
CHIPS = {"limits": {"google.com/tpu": "4"}, "requests": {"google.com/tpu": "4"}}
HOLDER: Object = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "notebook", "namespace": "default"},
    "spec": {
        "terminationGracePeriodSeconds": 0,
        "containers": [
            {"name": "notebook", "image": "python:3.12", "command": ["sleep", "600"], "resources": CHIPS}
        ],
    },
}
QUOTA: Object = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "few", "namespace": "default"},
    "spec": {"hard": {"requests.google.com/tpu": "0"}},
}


@dataclass(frozen=True)
class State:
    """A stuck state.

    Args:
        shows: what the API shows of it, in Pods, Deployments and Events.
        cause: words of the message.
        remedy: words of the remedy.
        settings: variables that bring it about.
        made: objects that bring it about.
        scenario: the rehearsal's scenario that brings it about.
    """

    name: str
    shows: str
    cause: str
    remedy: str
    settings: tuple[str, ...] = ()
    made: tuple[Object, ...] = ()
    scenario: str = ""


STATES = (
    State(
        "no-node",
        "didn't match Pod's node",
        "gke-tpu-accelerator=tpu9",
        "tpu.accel",
        ("tpu.accelerator=tpu9",),
    ),
    State(
        "chips-held", "Insufficient google.com/tpu", "default/notebook holds 4", "end the Pod", made=(HOLDER,)
    ),
    State("quota", "ReplicaFailure", "exceeded quota: few", "resourcequota few", made=(QUOTA,)),
    State(
        "image", "ErrImagePull", "vllm-tpu:missing", "server.image", ("server.image=vllm/vllm-tpu:missing",)
    ),
    State("crash", "CrashLoopBackOff", "--no-such-flag", "kubectl logs", ("server.flags.no-such-flag=x",)),
    State(
        "no-bucket",
        "bucket doesn't exist",
        "does not exist",
        "bucket.name",
        scenario="stuck-mount-of-no-bucket",
    ),
    State(
        "sidecar",
        "failed to find the sidecar",
        "no sidecar",
        "inv deploy",
        scenario="stuck-mount-without-sidecar",
    ),
    State("memory", "CrashLoopBackOff", "137 (OOMKilled)", "memory", scenario="stuck-out-of-memory"),
    State(
        "engine",
        "CrashLoopBackOff",
        "began with: (EngineCore_DP0 pid=301) ValueError: shard 7",
        "EngineCore",
        scenario="stuck-engine-error",
    ),
)


@contextmanager
def brought_about(place: Place, state: State) -> Iterator[None]:
    """Make what makes the state, and take it away again."""
    if state.scenario:
        place.cloud.control("POST", f"scenarios/{state.scenario}", {})
    with place.cluster() as cluster:
        for item in state.made:
            cluster.apply(item, field_manager="test", force=True)
        if HOLDER in state.made:
            while not cluster.list("v1", "Pod", "default")[0]["spec"].get("nodeName"):
                time.sleep(0.05)
        yield
        for item in state.made:
            cluster.delete(Reference.to(item))


class Sighting(threading.Thread):
    """Looks for a state from outside, and notes when it was first visible."""

    def __init__(self, place: Place, shows: str) -> None:
        super().__init__(daemon=True)
        self._place, self._shows = place, re.compile(shows)
        self.over = threading.Event()
        self.at: float | None = None

    def run(self) -> None:
        with self._place.cluster() as cluster:
            while self.at is None and not self.over.wait(0.05):
                found = [
                    *cluster.list("v1", "Pod", "default"),
                    *cluster.list("apps/v1", "Deployment", "default"),
                ]
                names = {item["metadata"]["name"] for item in found}
                found += [
                    event
                    for event in cluster.list("v1", "Event", "default")
                    if event["involvedObject"]["name"] in names
                ]
                if self._shows.search(json.dumps(found)):
                    self.at = time.monotonic()


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_the_wait_ends_in_time_with_cause_and_remedy(
    place: Place, state: State, capsys: pytest.CaptureFixture[str]
) -> None:
    with brought_about(place, state):
        sighting = Sighting(place, state.shows)
        sighting.start()
        error = place.with_settings(*state.settings).apply("kube.apply", **SERVER).error
        ended = time.monotonic()
        sighting.over.set()
        sighting.join()
    assert isinstance(error, FailedError)
    assert state.cause in error.message
    assert state.remedy in (error.remedy or "")
    assert sighting.at is not None, "the state was not visible before the wait ended"
    with capsys.disabled():
        print(f"\n{state.name}: ended {ended - sighting.at:.2f} s after it was visible")
    assert ended - sighting.at < SECONDS
