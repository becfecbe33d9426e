"""What may pass by itself is waited for, and ends the wait when its time is over.

Where the rehearsal's time has no length, two minutes of patience are three seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from runbook.clients.kube.client import KubeClient
from runbook.clients.kube.objects import Object, Reference
from tests.steps_kube.deployment_place import SERVER, Place
from tests.stuck_states.by_hand import meanwhile, offer_chips
from tests.stuck_states.sighting import SECONDS, SHORTEST_PATIENCE, assert_ended, awaited

pytestmark = pytest.mark.slow

SIZE = {"storage": "9Ti"}
VOLUME = Reference("v1", "PersistentVolume", "", "of-somebody")


@dataclass(frozen=True)
class State:
    """A state that may pass, and what makes it pass.

    Args:
        made: brings it about.
        shows: what the API shows of it.
        cause: words of the message that ends a wait for it.
        remedy: words of the remedy.
        passes: lets it pass.
        begun: tells that it is there; None: a Pod waits for a node.
    """

    name: str
    made: Callable[[Place], Place]
    shows: str
    cause: str
    remedy: str
    passes: Callable[[Place, KubeClient], None]
    begun: Callable[[KubeClient], object] | None = None


def node_whose_plugin_is_late(place: Place) -> Place:
    """The node is ready, and its device plugin has registered no chip yet."""
    offer_chips(place, 0)
    return place


def register(place: Place, _: KubeClient) -> None:
    offer_chips(place, 4)


def claim_for_any_volume(place: Place) -> Place:
    """The claim names no volume, and none that is there is large enough."""
    return place.with_manifest(
        (r"  claimRef:\n.*?(?=  mountOptions:)", ""),
        (r"requests:\n      storage: .*?$", f"requests:\n      storage: {SIZE['storage']}"),
        (r"^  volumeName: .*?\n", ""),
    )


def make_a_volume(_: Place, cluster: KubeClient) -> None:
    (ours,) = (item for item in cluster.list("v1", "PersistentVolume", "") if "csi" in item["spec"])
    spec = {key: value for key, value in ours["spec"].items() if key not in {"claimRef", "volumeMode"}}
    volume: Object = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": VOLUME.name},
        "spec": {**spec, "capacity": SIZE},
    }
    cluster.apply(volume, field_manager="somebody", force=True)


def no_grant(place: Place) -> Place:
    """Nobody may read the bucket; the driver asks before it mounts."""
    assert place.apply("storage.iam_member", state="absent").error is None
    return place.with_settings("volume.attributes.skipCSIBucketAccessCheck=false")


def grant(place: Place, _: KubeClient) -> None:
    assert place.apply("storage.iam_member").error is None


def has_failed_mount(cluster: KubeClient) -> bool:
    return any(event["reason"] == "FailedMount" for event in cluster.list("v1", "Event", "default"))


STATES = (
    State(
        "late device plugin",
        node_whose_plugin_is_late,
        "Insufficient google.com/tpu",
        "offers none: its device plugin has not registered yet",
        "end the Pod that holds them",
        register,
    ),
    State(
        "claim without a volume",
        claim_for_any_volume,
        "unbound immediate PersistentVolumeClaims",
        "is Pending: ProvisioningFailed",
        "inv deploy",
        make_a_volume,
    ),
    State(
        "no grant",
        no_grant,
        "storage.objects.list access",
        "may not read the bucket",
        "inv step 3.3",
        grant,
        has_failed_mount,
    ),
)


@pytest.fixture
def tidy(place: Place) -> Iterator[Place]:
    """A place that is afterwards as it was."""
    yield place
    offer_chips(place, 4)
    assert place.apply("storage.iam_member").error is None
    assert place.apply("kube.absent", templates=["vllm-tpu.yaml.j2"]).error is None
    place.delete(VOLUME)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_what_passes_in_time_does_not_end_the_wait(tidy: Place, state: State) -> None:
    waiting = state.made(tidy)
    with meanwhile(waiting, lambda cluster: state.passes(tidy, cluster), begun=state.begun, after=1):
        outcome = waiting.apply("kube.apply", **SERVER)
    assert outcome.error is None, outcome.error


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_what_does_not_pass_in_its_time_ends_the_wait(
    tidy: Place, state: State, capsys: pytest.CaptureFixture[str]
) -> None:
    ending = awaited(state.made(tidy), state.shows)
    assert_ended(ending, capsys, state.name, state.cause, state.remedy, after=SHORTEST_PATIENCE)


SOON_ENDED = (
    r"    spec:\n      serviceAccountName",
    "    spec:\n      terminationGracePeriodSeconds: 1\n      serviceAccountName",
)
RECREATE = (r"type: RollingUpdate\n.*?(?=  selector:)", "type: Recreate\n")


def with_an_old_pod_that_stays(place: Place) -> Place:
    """A server runs, and will hold its chips for longer than it may; then another is wanted."""
    assert place.apply("kube.apply", **SERVER).error is None
    place.cloud.control("POST", "scenarios/stuck-old-pod", {})
    return place.with_settings("server.flags.max-num-seqs=128")


def let_it_end(place: Place) -> None:
    place.cloud.control("DELETE", "faults")


def is_ending(cluster: KubeClient) -> bool:
    return any("deletionTimestamp" in pod["metadata"] for pod in cluster.list("v1", "Pod", "default"))


def test_an_old_pod_may_take_the_time_that_it_was_given(place: Place) -> None:
    changed = with_an_old_pod_that_stays(place)
    with meanwhile(changed, lambda _: let_it_end(place), begun=is_ending, after=SHORTEST_PATIENCE + 1):
        outcome = changed.apply("kube.apply", **SERVER)
    assert outcome.error is None, outcome.error
    assert "(an old Pod is ending)" in " ".join(changed.voice.conditions)


@pytest.mark.parametrize("edits", [(SOON_ENDED,), (SOON_ENDED, RECREATE)], ids=["RollingUpdate", "Recreate"])
def test_an_old_pod_that_stays_for_longer_is_named(
    place: Place, edits: tuple[tuple[str, str], ...], capsys: pytest.CaptureFixture[str]
) -> None:
    changed = with_an_old_pod_that_stays(place.with_manifest(*edits))
    try:
        ending = awaited(changed, "deletionTimestamp")
    finally:
        let_it_end(place)
    assert "the old Pod vllm-tpu-" in ending.error.message
    assert "still holds its chips on " in ending.error.message
    assert "--grace-period=0 --force" in (ending.error.remedy or "")
    with capsys.disabled():
        print(f"\nold Pod that stays: ended {ending.seconds:.2f} s after its end was asked for")
    # until when it may take is told in whole seconds, which may be up to one short
    assert SHORTEST_PATIENCE <= ending.seconds < 1 + SHORTEST_PATIENCE + SECONDS
    assert changed.apply("kube.apply", **SERVER).error is None
