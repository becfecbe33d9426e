"""A claim of the server that another team's Pod mounts: 4.3 takes no such Pod without a yes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runbook.clients.kube.objects import Reference
from runbook.engine.change import Change
from runbook.engine.errors import RefusedError
from tests.steps_kube.deployment_place import SERVER, Place, paths
from tests.stuck_states.by_hand import lose_the_volume, until

THEIRS = Reference("v1", "Pod", "default", "theirs")


@pytest.fixture
def shared(place: Place) -> Iterator[tuple[Place, Reference]]:
    """The server is deployed without Pods, and somebody's Pod mounts its claim."""
    stopped = place.with_settings("server.replicas=0")
    stopped.deploy()
    (claim,) = stopped.of_kind("v1", "PersistentVolumeClaim")
    spec = {
        "containers": [{"name": "idle", "image": "busybox"}],
        "volumes": [{"name": "model", "persistentVolumeClaim": {"claimName": claim.name}}],
    }
    metadata = {"name": THEIRS.name, "namespace": THEIRS.namespace}
    stopped.claim_field({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}, "somebody")
    yield stopped, claim
    stopped.delete(THEIRS)


def lose(place: Place, claim: Reference) -> None:
    with place.cluster() as cluster:
        lose_the_volume(cluster)
        until(lambda: (cluster.get(claim) or {})["status"]["phase"] == "Lost")


def declined(place: Place) -> list[Change]:
    """Answer no whenever a place asks; give what it asks about."""
    asked: list[Change] = []

    def ask(change: Change) -> bool:
        asked.append(change)
        return False

    place.ask = ask
    return asked


def test_a_pod_of_others_on_a_lost_claim_is_named_and_stays_when_the_answer_is_no(
    shared: tuple[Place, Reference],
) -> None:
    place, claim = shared
    lose(place, claim)
    asked = declined(place)
    outcome = place.apply("kube.apply", **SERVER)
    assert isinstance(outcome.error, RefusedError)
    (change,) = asked
    assert paths([change]) == [claim.short, THEIRS.short]
    assert change.loss == f"pod/theirs: not of this server, deleted as {claim} cannot go before"
    assert THEIRS.short in change.command
    assert place.get(THEIRS) is not None
    assert place.get(claim) is not None


def test_a_pod_of_others_goes_with_a_yes(shared: tuple[Place, Reference]) -> None:
    place, claim = shared
    lose(place, claim)
    assert place.apply("kube.apply", **SERVER).error is None
    assert place.get(THEIRS) is None
    with place.cluster() as cluster:
        until(lambda: (cluster.get(claim) or {})["status"]["phase"] == "Bound")


def test_a_volume_made_anew_names_the_pods_of_others_that_go_with_its_claim(
    shared: tuple[Place, Reference],
) -> None:
    place, claim = shared
    (volume,) = place.of_kind("v1", "PersistentVolume")
    other = place.with_manifest((r"volumeHandle: .*?$", "volumeHandle: other"))
    (change, *_) = other.check("kube.apply", **SERVER).changes
    assert volume.short in str(change.loss)
    assert f"pod/theirs: not of this server, deleted as {claim} cannot go before" in str(change.loss)
    assert THEIRS.short in paths([change])


def test_the_servers_own_pods_are_not_asked_about(place: Place) -> None:
    place.deploy()
    (claim,) = place.of_kind("v1", "PersistentVolumeClaim")
    place.delete(claim)
    until(lambda: "deletionTimestamp" in (place.get(claim) or {"metadata": {}})["metadata"])
    asked = declined(place)
    outcome = place.apply("kube.apply", **SERVER)
    assert outcome.error is None
    assert not asked
    assert [item for item in outcome.changes[0].command if item.startswith("pod/vllm-tpu-")]
