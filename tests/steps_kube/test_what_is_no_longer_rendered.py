"""4.3 deletes what it applied and the variables no longer name, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import Any

import pytest

from runbook.clients.kube.objects import Reference
from runbook.engine.errors import ConflictError
from runbook.engine.outcome import Status
from runbook.steps.kube.apply_set import PART_OF
from tests.steps_kube.deployment_place import DEPLOYMENT, SERVER, SERVICE, Place, paths

PARENT = Reference("v1", "ConfigMap", "default", "vllm-tpu-rehearsal")
STOPPED = "server.replicas=0"


@pytest.fixture
def stopped(place: Place) -> Place:
    """Everything is applied, and no Pod has to be waited for."""
    found = place.with_settings(STOPPED)
    found.deploy()
    return found


def pods(place: Place) -> list[str]:
    with place.cluster() as cluster:
        return [item["metadata"]["uid"] for item in cluster.list("v1", "Pod", "default")]


def test_the_set_is_as_its_specification_says(stopped: Place) -> None:
    parent, deployment = stopped.get(PARENT), stopped.get(DEPLOYMENT)
    assert parent is not None
    assert deployment is not None
    assert parent["metadata"]["annotations"] == {
        "applyset.kubernetes.io/tooling": "runbook/v1",
        "applyset.kubernetes.io/contains-group-kinds": ",".join(
            ["Deployment.apps", "PersistentVolume", "PersistentVolumeClaim", "Service"]
        ),
    }
    identity = parent["metadata"]["labels"]["applyset.kubernetes.io/id"]
    assert deployment["metadata"]["labels"][PART_OF] == identity
    assert PART_OF not in deployment["spec"]["template"]["metadata"]["labels"]


@pytest.mark.clients
@pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not on this machine")
def test_kubectl_knows_the_set_and_leaves_it_to_us(stopped: Place) -> None:
    theirs = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "theirs", "namespace": "default"}}
    ended = subprocess.run(
        ["kubectl", "apply", "--prune", f"--applyset=configmap/{PARENT.name}", "-n", "default", "-f", "-"],
        input=json.dumps(theirs),
        env=os.environ
        | {"KUBECTL_APPLYSET": "true", "KUBECONFIG": str(stopped.home / ".runs/rehearsal/kubeconfig")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert 'is managed by tooling "runbook" instead of "kubectl"' in ended.stderr


def test_an_old_name_of_a_service_goes(stopped: Place) -> None:
    changed = stopped.with_settings(STOPPED, "server.service=other").converges("kube.apply", **SERVER)
    assert [path for path in changed if not path.startswith("configmap/")] == [
        "service/other",
        SERVICE.short,
    ]


def test_a_line_that_ended_early_is_made_up_for(stopped: Place) -> None:
    stopped.cloud.control(
        "POST", "faults", {"api": "kubernetes", "method": "DELETE", "kind": "status", "status": 403}
    )
    other = stopped.with_settings(STOPPED, "server.service=other")
    assert other.apply("kube.apply", **SERVER).status is Status.FAILED
    stopped.cloud.control("DELETE", "faults")
    assert SERVICE.short in stopped.with_settings(STOPPED, "server.service=third").converges(
        "kube.apply", **SERVER
    )
    assert [item.name for item in stopped.of_kind("v1", "Service")] == ["third"]


def test_what_somebody_made_anew_under_the_old_name_stays(stopped: Place) -> None:
    stopped.delete(SERVICE)
    name = {"name": SERVICE.name, "namespace": "default"}
    theirs: dict[str, Any] = {"apiVersion": "v1", "kind": "Service", "metadata": name}
    stopped.claim_field({**theirs, "spec": {"ports": [{"port": 80}]}}, manager="somebody")
    stopped.with_settings(STOPPED, "server.service=other").converges("kube.apply", **SERVER)
    assert stopped.get(SERVICE) is not None
    stopped.delete(SERVICE)


def test_a_claim_that_anothers_pod_uses_stays_with_its_volume_until_that_ends(stopped: Place) -> None:
    (claim,) = stopped.of_kind("v1", "PersistentVolumeClaim")
    (volume,) = stopped.of_kind("v1", "PersistentVolume")
    pod = Reference("v1", "Pod", "default", "theirs")
    mounts = [{"name": "model", "persistentVolumeClaim": {"claimName": claim.name}}]
    containers = [{"name": "idle", "image": "busybox"}]
    metadata = {"name": pod.name, "namespace": "default"}
    spec = {"containers": containers, "volumes": mounts, "nodeSelector": {"nowhere": "yes"}}
    stopped.claim_field({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}, "somebody")
    other = stopped.with_settings(STOPPED, "volume.capacity=128Gi")
    changed = other.converges("kube.apply", **SERVER)
    assert claim.short not in changed
    assert f"{claim} stays: pod/theirs uses it" in other.check("kube.apply", **SERVER).reason
    stopped.delete(pod)
    changed = other.converges("kube.apply", **SERVER)
    gone = [claim.short, volume.short]
    assert changed == [*gone, *(f"{PARENT}.data.{name}" for name in sorted(gone))]


def test_a_server_from_before_there_were_sets_is_taken_over_as_it_runs(deployed: Place) -> None:
    (old,) = deployed.of_kind("v1", "PersistentVolumeClaim")
    for kind in (
        ("apps/v1", "Deployment"),
        ("v1", "Service"),
        ("v1", "PersistentVolume"),
        (old.api_version, old.kind),
    ):
        for reference in deployed.of_kind(*kind):
            deployed.patch(reference, {"metadata": {"labels": {PART_OF: None}}}, manager="runbook")
    deployed.delete(PARENT)
    before = pods(deployed)
    changed = deployed.converges("kube.apply", **SERVER)
    assert {path.partition(".metadata.labels.")[2] for path in changed[1:]} == {PART_OF}
    assert pods(deployed) == before


def test_another_environments_object_is_a_conflict(stopped: Place) -> None:
    stopped.patch(SERVICE, {"metadata": {"labels": {"runbook/environment": "other"}}})
    outcome = stopped.check("kube.apply", **SERVER)
    assert isinstance(outcome.error, ConflictError)
    assert outcome.error.message == "service/vllm-service belongs to environment other"
    stopped.patch(SERVICE, {"metadata": {"labels": {"runbook/environment": "rehearsal"}}})


def test_what_cannot_be_changed_is_made_anew_when_that_is_confirmed(stopped: Place) -> None:
    stopped.delete(SERVICE)
    name = {"name": SERVICE.name, "namespace": "default", "labels": {"runbook/environment": "rehearsal"}}
    spec = {"clusterIP": "None", "ports": [{"name": "http", "port": 8000, "protocol": "TCP"}]}
    stopped.claim_field({"apiVersion": "v1", "kind": "Service", "metadata": name, "spec": spec}, "somebody")
    stopped.delete(DEPLOYMENT)
    selector = {"matchLabels": {"app": "vllm-tpu", "old": "yes"}}
    template = {
        "metadata": {"labels": selector["matchLabels"]},
        "spec": {"containers": [{"name": "vllm-tpu", "image": "old"}]},
    }
    old = {"selector": selector, "template": template, "replicas": 0}
    name = {**name, "name": DEPLOYMENT.name}
    stopped.claim_field(
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": name, "spec": old}, "runbook"
    )
    planned = stopped.with_settings(STOPPED).check("kube.apply", **SERVER)
    assert planned.error is None, planned.error
    losses = [change.loss for change in planned.changes if change.loss]
    assert losses == [
        "deployment/vllm-tpu as it is: spec.selector cannot be changed, so it is deleted and made anew"
    ]
    assert "deployment/vllm-tpu.spec.selector.matchLabels.app" not in paths(planned.changes)
    stopped.converges("kube.apply", **SERVER)
