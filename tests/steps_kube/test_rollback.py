"""After a rollout that failed: what serves is told, and `kube.rollback` goes back to what was ready."""

from __future__ import annotations

import time

import pytest

from runbook.clients.kube.objects import Object, Reference
from runbook.engine.errors import FailedError, MissingError, UserError
from runbook.engine.outcome import Outcome, Status
from runbook.steps.kube.revisions import ready_mark
from tests.steps_kube.deployment_place import DEPLOYMENT, SERVER, Place, paths
from tests.stuck_states.by_hand import until

BROKEN = "server.flags.no-such-flag=nonsense"
LONGER = "server.flags.max-model-len=512"
ARGUMENTS = "deployment/vllm-tpu.spec.template.spec.containers[vllm-tpu].args"


def rolled_back(place: Place, *settings: str, check: bool = False) -> tuple[Outcome, str]:
    """Roll back with some variables; give the outcome and what it said."""
    there = place.with_settings(*settings)
    outcome = there.check("kube.rollback", **SERVER) if check else there.apply("kube.rollback", **SERVER)
    return outcome, "\n".join(there.voice.outputs)


def fail(place: Place, setting: str = BROKEN) -> FailedError:
    """Deploy what cannot come up."""
    outcome = place.with_settings(setting).apply("kube.apply", **SERVER)
    assert isinstance(outcome.error, FailedError), outcome
    return outcome.error


def flags(place: Place) -> str:
    return " ".join(template(place)["spec"]["containers"][0]["args"])


def test_a_failed_rollout_says_that_nothing_serves_and_how_to_go_back(deployed: Place) -> None:
    error = fail(deployed)
    assert "unrecognized arguments: --no-such-flag=nonsense" in error.message
    assert error.message.endswith("serving now: nothing, no Pod of the server is ready")
    image = deployed.loaded.variables.server.image
    assert error.remedy is not None
    assert error.remedy.startswith("all it said: kubectl --kubeconfig=")
    assert " logs --namespace=default vllm-tpu-" in error.remedy
    assert error.remedy.endswith(f"; `inv rollback` goes back to revision 1 ({image})")


def test_a_failed_rollout_says_which_pods_still_answer(deployed: Place) -> None:
    error = fail(deployed, "server.replicas=2")  # there is one node
    assert "Unschedulable" in error.message
    assert "\nserving now: revision 1, Pod vllm-tpu-" in error.message
    assert error.remedy is None or "rollback" not in error.remedy


def test_the_first_rollout_that_fails_has_no_way_back(place: Place) -> None:
    error = fail(place)
    assert error.remedy is not None
    assert "rollback" not in error.remedy
    outcome, _ = rolled_back(place, BROKEN)
    assert isinstance(outcome.error, UserError)
    assert "no other revision of deployment/vllm-tpu was ever ready" in outcome.error.message
    assert outcome.error.remedy == "mend the variables and run `inv deploy`"


def test_a_rollback_brings_the_last_ready_revision_back_and_goes_no_further(deployed: Place) -> None:
    fail(deployed)
    fail(deployed, "server.image=vllm/vllm-tpu:missing")
    before = len(deployed.writes())
    planned, foretold = rolled_back(deployed, BROKEN, check=True)
    assert (planned.status, deployed.writes()[before:]) == (Status.WOULD_CHANGE, [])
    outcome, said = rolled_back(deployed, BROKEN)
    assert outcome.status is Status.CHANGED, outcome.error
    assert paths(outcome.changes) == paths(planned.changes)
    (change,) = outcome.changes
    assert list(change.command)[:5] == [
        "kubectl",
        "rollout",
        "undo",
        "deployment/vllm-tpu",
        "--to-revision=1",
    ]
    assert "serves; vllm-tpu: 1 of 1 Pods ready" in outcome.reason
    assert said == foretold
    assert said.startswith("the next `inv deploy` applies the variables again:\n")
    assert f"{ARGUMENTS}[--no-such-flag]: absent -> nonsense" in said
    assert deployed.apply("serving.completion").status is Status.OK
    again, _ = rolled_back(deployed, BROKEN)
    assert (again.status, again.changes) == (Status.OK, ())


@pytest.mark.slow
def test_the_next_deploy_shows_what_it_would_take_back_and_converges(deployed: Place) -> None:
    fail(deployed)
    assert rolled_back(deployed, BROKEN)[0].error is None
    planned = deployed.with_settings(LONGER).check("kube.apply", **SERVER)
    assert paths(planned.changes) == [f"{ARGUMENTS}[--max-model-len]"]
    done = deployed.with_settings(LONGER).apply("kube.apply", **SERVER)
    assert done.status is Status.CHANGED, done.error
    assert "--max-model-len=512" in flags(deployed)
    again = deployed.with_settings(LONGER).check("kube.apply", **SERVER)
    assert (again.status, again.changes) == (Status.OK, ())


@pytest.mark.slow
def test_the_same_variables_after_a_rollback_are_shown_as_pending(deployed: Place) -> None:
    fail(deployed)
    assert rolled_back(deployed, BROKEN)[0].error is None
    planned = deployed.with_settings(BROKEN).check("kube.apply", **SERVER)
    assert paths(planned.changes) == [f"{ARGUMENTS}[--no-such-flag]"]
    mended = deployed.with_settings().apply("kube.apply", **SERVER)
    assert (mended.status, mended.changes) == (Status.OK, ()), mended.error


def test_a_server_that_answers_goes_back_too(deployed: Place) -> None:
    deployed.with_settings(LONGER).deploy()
    planned, _ = rolled_back(deployed, LONGER, check=True)
    assert planned.reason.endswith("): its Pods would be waited for")
    outcome, said = rolled_back(deployed, LONGER)
    assert outcome.status is Status.CHANGED, outcome.error
    assert "--max-model-len=512" not in flags(deployed)
    assert f"{ARGUMENTS}[--max-model-len]: 1024 -> 512" in said
    again, _ = rolled_back(deployed, LONGER)
    assert (again.status, again.changes) == (Status.OK, ())


@pytest.mark.slow
def test_a_revision_may_be_named_also_after_it_came_back(deployed: Place) -> None:
    deployed.with_settings(LONGER).deploy()
    assert rolled_back(deployed, "rollback.revision=1")[0].status is Status.CHANGED
    assert rolled_back(deployed, "rollback.revision=1")[0].status is Status.OK
    unknown, _ = rolled_back(deployed, "rollback.revision=9")
    assert isinstance(unknown.error, UserError)
    assert unknown.error.message == "deployment/vllm-tpu has no revision 9"
    assert unknown.error.remedy == "it has 2, 3"


def test_a_revision_whose_claim_is_gone_is_refused(deployed: Place) -> None:
    (claim,) = deployed.of_kind("v1", "PersistentVolumeClaim")
    other = "volume.capacity=128Gi"  # another claim
    deployed.with_settings(other).deploy()
    deployed.delete(claim)
    outcome, _ = rolled_back(deployed, other)
    assert isinstance(outcome.error, UserError)
    assert f"needs {claim}, which is not there any more" in outcome.error.message


def test_whatever_its_pods_cannot_start_without_must_be_there(deployed: Place) -> None:
    spec = template(deployed)["spec"]
    (container,) = spec["containers"]
    for number, (field, wanted) in enumerate(
        [
            ("volumes", {"name": "extra", "secret": {"secretName": "no-secret"}}),
            ("volumes", {"name": "extra", "projected": {"sources": [{"configMap": {"name": "no-part"}}]}}),
            ("containers", {**container, "envFrom": [{"configMapRef": {"name": "no-environment"}}]}),
            ("volumes", {"name": "extra", "configMap": {"name": "gone", "optional": True}}),
        ]
    ):
        others = spec["volumes"] if field == "volumes" else []
        labels = {"metadata": {"labels": {"number": str(number)}}}
        change_template(deployed, labels | {"spec": {**spec, field: [*others, wanted]}})
    change_template(deployed, {"spec": spec})

    def missing(revision: int) -> str:
        outcome, _ = rolled_back(deployed, f"rollback.revision={revision}", check=True)
        return str(outcome.error or "").removesuffix(", which is not there any more")

    assert missing(2) == "revision 2 needs secret/no-secret"
    assert missing(3) == "revision 3 needs configmap/no-part"
    assert missing(4) == "revision 4 needs configmap/no-environment"
    assert missing(5) == ""


def template(place: Place) -> Object:
    deployment = place.get(DEPLOYMENT)
    assert deployment is not None
    found: Object = deployment["spec"]["template"]
    return found


def change_template(place: Place, change: Object) -> None:
    """Make another revision, as somebody else would, and wait until it is one."""
    before = len(replica_sets(place))
    place.patch(DEPLOYMENT, {"spec": {"template": change}})
    while len(replica_sets(place)) == before:
        time.sleep(0.05)


@pytest.mark.slow
def test_a_revision_whose_rollout_nobody_followed_is_known_too(deployed: Place) -> None:
    for item in replica_sets(deployed):
        mark = ready_mark(item["metadata"]["name"])
        assert mark in item["metadata"]["annotations"]
        deployed.patch(Reference.to(item), {"metadata": {"annotations": {mark: None}}})
    error = fail(deployed)
    assert "`inv rollback` goes back to revision 1" in str(error.remedy)


@pytest.mark.slow
def test_a_mark_that_a_revision_inherits_says_nothing_of_it(deployed: Place) -> None:
    """As after `kubectl rollout undo`, which gives the Deployment the annotations of its ReplicaSet."""
    (ready,) = replica_sets(deployed)
    mark = ready_mark(ready["metadata"]["name"])
    deployed.patch(DEPLOYMENT, {"metadata": {"annotations": {mark: "20261123-154200-1a2b"}}})
    fail(deployed)
    inherited = [item for item in replica_sets(deployed) if mark in item["metadata"]["annotations"]]
    assert len(inherited) == 2
    error = fail(deployed, "server.image=vllm/vllm-tpu:missing")
    assert "`inv rollback` goes back to revision 1" in str(error.remedy)


def test_revisions_that_never_had_a_pod_are_no_way_back(place: Place) -> None:
    place.with_settings("server.replicas=0").deploy()
    place.with_settings("server.replicas=0", LONGER).deploy()
    outcome, _ = rolled_back(place, "server.replicas=0", LONGER)
    assert isinstance(outcome.error, UserError)
    assert str(outcome.error.remedy).endswith("or name a revision (1): --set rollback.revision=N")


def replica_sets(place: Place) -> list[Object]:
    with place.cluster() as cluster:
        return cluster.list("apps/v1", "ReplicaSet", "default")


def test_a_server_without_pods_does_not_serve(deployed: Place) -> None:
    deployed.with_settings("server.replicas=0").apply("kube.apply", **SERVER)
    outcome, _ = rolled_back(deployed, "rollback.revision=1")
    assert outcome.status is Status.OK, outcome.error
    assert outcome.reason.endswith("is in place; vllm-tpu: 0 of 0 Pods ready")


def test_a_paused_deployment_is_named(deployed: Place) -> None:
    deployed.patch(DEPLOYMENT, {"spec": {"paused": True}})
    longer = deployed.with_settings(LONGER)
    for outcome in (
        rolled_back(deployed)[0],
        longer.check("kube.apply", **SERVER),
        longer.apply("kube.apply", **SERVER),
        longer.apply("kube.apply", **SERVER),
    ):
        assert isinstance(outcome.error, UserError), outcome
        assert outcome.error.message == "deployment/vllm-tpu is paused: it rolls nothing out"
        resume = "kubectl rollout resume deployment/vllm-tpu --namespace=default --kubeconfig="
        assert str(outcome.error.remedy).startswith(resume)
    deployed.patch(DEPLOYMENT, {"spec": {"paused": None}})


ENDED: Object = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "evicted", "namespace": "default", "labels": {"app": "vllm-tpu"}},
    "spec": {
        "restartPolicy": "Never",
        "containers": [{"name": "server", "image": "python:3.12", "command": ["false"]}],
    },
}


@pytest.mark.slow
def test_a_pod_that_has_ended_is_in_nobodys_way(deployed: Place) -> None:
    """Nobody deletes a Pod that was evicted."""
    evicted = Reference.to(ENDED)
    deployed.claim_field(ENDED, "somebody")
    until(lambda: (deployed.get(evicted) or {})["status"].get("phase") == "Failed")
    fail(deployed)
    outcome, _ = rolled_back(deployed, BROKEN, "server.ready_timeout_s=30")
    deployed.delete(evicted)
    assert outcome.error is None, outcome.error


def test_without_a_server_the_step_that_deploys_it_is_named(place: Place) -> None:
    error = place.apply("kube.rollback", **SERVER).error
    assert isinstance(error, MissingError)
    assert error.supplied_by == "kube.apply"
