"""Stuck states that an operator makes with an edited manifest, or with kubectl while 4.3 waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from runbook.clients.kube.client import KubeClient
from runbook.clients.kube.objects import Reference
from tests.steps_kube.deployment_place import SERVER, Place
from tests.stuck_states.by_hand import lose_the_volume, meanwhile, tpu_node, until
from tests.stuck_states.sighting import SECONDS, assert_ended, awaited

ACCOUNT = "llm"
SURGING = (r"maxSurge: 0\n      maxUnavailable: 1", "maxSurge: 1\n      maxUnavailable: 0")
THEIRS = ({"name": "theirs"}, {"storageClassName": "gcsfuse-sc", "accessModes": ["ReadWriteMany"]})


def manifest_without_account(place: Place) -> Place:
    """The ServiceAccount is left to somebody else, who has not made it."""
    own = place.with_settings(f"kube.service_account={ACCOUNT}")
    assert own.apply("storage.iam_member").error is None
    return own.with_manifest((r"^apiVersion: v1\nkind: ServiceAccount\n.*?^---\n", ""))


def manifest_with_a_volume_that_is_not_there(place: Place) -> Place:
    return place.with_manifest((r"volumeName: .*?$", "volumeName: models"))


def manifest_with_a_claim_that_is_too_large(place: Place) -> Place:
    return place.with_manifest(
        (r"  claimRef:\n.*?(?=  mountOptions:)", ""),
        (r"requests:\n      storage: .*?$", "requests:\n      storage: 9Ti"),
    )


def volume_of_another_claim(place: Place) -> Place:
    """Somebody's claim holds the volume that the manifest names."""
    metadata, spec = THEIRS
    source = {"driver": "gcsfuse.csi.storage.gke.io", "volumeHandle": "theirs"}
    size = {"storage": "64Gi"}
    volume = {**spec, "capacity": size, "csi": source, "persistentVolumeReclaimPolicy": "Retain"}
    claim = {**spec, "resources": {"requests": size}, "volumeName": "theirs"}
    with place.cluster() as cluster:
        for kind, place_of_it, wanted in (
            ("PersistentVolume", metadata, volume),
            ("PersistentVolumeClaim", {**metadata, "namespace": "default"}, claim),
        ):
            item = {"apiVersion": "v1", "kind": kind, "metadata": place_of_it, "spec": wanted}
            cluster.apply(item, field_manager="somebody", force=True)
        theirs = Reference("v1", "PersistentVolumeClaim", "default", "theirs")
        until(lambda: (cluster.get(theirs) or {}).get("status", {}).get("phase") == "Bound")
    return place.with_manifest((r"volumeName: .*?$", "volumeName: theirs"))


def no_annotation(place: Place) -> Place:
    return place.with_manifest((r'        gke-gcsfuse/volumes: "true"\n', ""))


def more_replicas_than_nodes(place: Place) -> Place:
    return place.with_settings("server.replicas=2")


def surge_onto_the_only_node(place: Place) -> Place:
    """The guide's own strategy keeps the old Pod until the new one, which needs its chips, is ready."""
    surging = place.with_manifest(SURGING)
    assert surging.apply("kube.apply", **SERVER).error is None
    return surging.with_settings("server.flags.max-num-seqs=128")


@dataclass(frozen=True)
class State:
    """A stuck state, and how it is brought about."""

    name: str
    made: Callable[[Place], Place]
    shows: str
    cause: str
    remedy: str


STATES = (
    State(
        "no ServiceAccount",
        manifest_without_account,
        "ReplicaFailure",
        'error looking up service account default/llm: serviceaccount "llm" not found',
        "create serviceaccount llm --namespace=default",
    ),
    State(
        "claim Pending, no volume",
        manifest_with_a_volume_that_is_not_there,
        "unbound immediate PersistentVolumeClaims",
        "is Pending: there is no persistentvolume/models",
        "volumeName",
    ),
    State(
        "claim Pending, too large",
        manifest_with_a_claim_that_is_too_large,
        "unbound immediate PersistentVolumeClaims",
        "VolumeMismatch: Cannot bind to requested volume",
        "alike in manifests/",
    ),
    State(
        "claim Pending, volume of another",
        volume_of_another_claim,
        "unbound immediate PersistentVolumeClaims",
        "persistentvolume/theirs is Bound for another claim, default/theirs",
        "inv deploy",
    ),
    State("no annotation", no_annotation, "failed to find the sidecar", "has no sidecar", "inv deploy"),
    State(
        "more replicas than nodes",
        more_replicas_than_nodes,
        "Insufficient google.com/tpu",
        "holds 4, a Pod of the same Deployment",
        "raise node_pool.nodes",
    ),
    State(
        "our own old Pod, never ended",
        surge_onto_the_only_node,
        "Insufficient google.com/tpu",
        "holds 4, a Pod of the same Deployment",
        "maxSurge 0 and maxUnavailable 1",
    ),
)


QUICK = {"no ServiceAccount", "our own old Pod, never ended"}


@pytest.fixture
def tidy(place: Place) -> Iterator[Place]:
    """A place whose other objects go with the test."""
    yield place
    assert (
        place.with_settings(f"kube.service_account={ACCOUNT}")
        .apply("storage.iam_member", state="absent")
        .error
        is None
    )
    place.delete(
        Reference("v1", "PersistentVolumeClaim", "default", "theirs"),
        Reference("v1", "PersistentVolume", "", "theirs"),
    )


@pytest.mark.parametrize(
    "state",
    [state if state.name in QUICK else pytest.param(state, marks=pytest.mark.slow) for state in STATES],
    ids=lambda state: state.name,
)
def test_the_wait_ends_in_time_with_cause_and_remedy(
    tidy: Place, state: State, capsys: pytest.CaptureFixture[str]
) -> None:
    ending = awaited(state.made(tidy), state.shows)
    assert_ended(ending, capsys, state.name, state.cause, state.remedy)


@pytest.fixture
def tainted(place: Place) -> Iterator[Place]:
    """The TPU node has a taint that nothing tolerates: kubectl taint nodes NODE team=ours:NoSchedule."""
    with place.cluster() as cluster:
        node = tpu_node(cluster)
    taints = node["spec"]["taints"]
    own = {"key": "team", "value": "ours", "effect": "NoSchedule"}
    place.patch(Reference.to(node), {"spec": {"taints": [*taints, own]}})
    yield place
    place.patch(Reference.to(node), {"spec": {"taints": taints}})


def test_a_taint_is_named_though_the_scheduler_may_not_name_it(
    tainted: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    ending = awaited(tainted, r"untolerated taint \{team: ours\}")
    assert "it does not tolerate the taint team=ours:NoSchedule of " in ending.error.message
    assert " taint nodes " in (ending.error.remedy or "")
    with capsys.disabled():
        print(f"\nuntolerated taint: ended {ending.seconds:.2f} s after it was visible")
    assert ending.seconds < SECONDS


def delete_the_claim(cluster: KubeClient) -> None:
    (claim,) = cluster.list("v1", "PersistentVolumeClaim", "default")
    cluster.delete(Reference.to(claim))


@pytest.mark.parametrize(
    ("act", "shows", "cause"),
    [
        (lose_the_volume, '"phase": "Lost"', "is Lost: its volume was deleted"),
        (delete_the_claim, r'persistentvolumeclaim \\"[^ ]+\\" not found', "is not there"),
    ],
    ids=["claim Lost", "claim deleted"],
)
def test_what_is_lost_under_a_pod_that_waits_for_a_node_ends_its_wait(
    place: Place,
    act: Callable[[KubeClient], None],
    shows: str,
    cause: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    waiting = place.with_settings("tpu.accelerator=tpu9", "node_pool.capacity=spot")
    with meanwhile(waiting, act):
        ending = awaited(waiting, shows)
    assert cause in ending.error.message
    assert "inv deploy" in (ending.error.remedy or "")
    with capsys.disabled():
        print(f"\n{cause}: ended {ending.seconds:.2f} s after it was visible")
    assert ending.seconds < SECONDS


def test_the_next_run_mends_a_volume_that_is_released_and_a_claim_that_is_lost(place: Place) -> None:
    stopped = place.with_settings("server.replicas=0")
    stopped.deploy()
    for act in (delete_the_claim, lose_the_volume):
        with place.cluster() as cluster:
            act(cluster)
            until(lambda: released_or_lost(cluster))
        assert stopped.apply("kube.apply", **SERVER).error is None
        with place.cluster() as cluster:
            (claim,) = cluster.list("v1", "PersistentVolumeClaim", "default")
            assert claim["status"]["phase"] == "Bound"


def released_or_lost(cluster: KubeClient) -> bool:
    found = [
        *cluster.list("v1", "PersistentVolume", ""),
        *cluster.list("v1", "PersistentVolumeClaim", "default"),
    ]
    return any(item["status"].get("phase") in {"Released", "Lost"} for item in found)
