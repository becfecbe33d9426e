"""4.3 ends within two seconds of a stuck state being visible in the API, and names cause and remedy."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from runbook.clients.kube.objects import Object, Reference
from tests.steps_kube.deployment_place import Place
from tests.stuck_states.sighting import assert_ended, awaited

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
MEMORY_QUOTA: Object = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "memory", "namespace": "default"},
    "spec": {"hard": {"limits.memory": "512Gi"}},
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
        "quota-unsaid",
        "ReplicaFailure",
        "failed quota: memory: must specify limits.memory for: ",
        "set limits.memory for: ",
        made=(MEMORY_QUOTA,),
    ),
    State(
        "image", "ErrImagePull", "vllm-tpu:missing", "server.image", ("server.image=vllm/vllm-tpu:missing",)
    ),
    State(
        "crash",
        "CrashLoopBackOff",
        "--no-such-flag",
        "logs --namespace=default",
        ("server.flags.no-such-flag=x",),
    ),
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
        "sidecar-crash",
        "CrashLoopBackOff",
        "container gke-gcsfuse-sidecar, ended with code 1, ",
        "--container=gke-gcsfuse-sidecar --previous",
        scenario="stuck-sidecar-crash",
    ),
    State(
        "engine",
        "CrashLoopBackOff",
        "began with: (EngineCore_DP0 pid=301) ValueError: shard 7",
        "EngineCore",
        scenario="stuck-engine-error",
    ),
)


QUICK = {"no-node", "image", "sidecar", "engine"}
"""One of each kind: unscheduled, not pulled, not mounted, ended."""


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
    place.cloud.control("DELETE", "faults")


@pytest.mark.parametrize(
    "state",
    [state if state.name in QUICK else pytest.param(state, marks=pytest.mark.slow) for state in STATES],
    ids=lambda state: state.name,
)
def test_the_wait_ends_in_time_with_cause_and_remedy(
    place: Place, state: State, capsys: pytest.CaptureFixture[str]
) -> None:
    with brought_about(place, state):
        ending = awaited(place.with_settings(*state.settings), state.shows)
    assert_ended(ending, capsys, state.name, state.cause, state.remedy)
