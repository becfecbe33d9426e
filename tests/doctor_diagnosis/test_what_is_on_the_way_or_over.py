"""Between health and trouble: what is on the way, what is over, what has no name, what a remedy mends."""

from __future__ import annotations

import pytest

from runbook.clients.kube import kubeconfig
from runbook.clients.kube.kubeconfig import kubeconfig_path
from runbook.clients.kube.objects import Reference
from tests.doctor_diagnosis.patient import Patient
from tests.rehearsal.stand_in import eventually
from tests.steps_kube.deployment_place import DEPLOYMENT, SERVER, SETUP

NOT_READY = ["deployment vllm-tpu"]
"""The topic of a server that is not ready for no known reason."""
POOLS = r"/nodePools(\?|$)"


def play_slowly(patient: Patient, scenario: str) -> None:
    """The state in which the cloud's durations last as long as they do."""
    patient.play(scenario)
    patient.place.cloud.control("PUT", "settings", {"time_scale": 1})


def restart(patient: Patient) -> None:
    """Delete the server's Pods."""
    with patient.place.cluster() as cluster:
        for pod in cluster.list("v1", "Pod", "default", labels={"app": "vllm-tpu"}):
            cluster.delete(Reference.to(pod))


def answers(patient: Patient) -> bool:
    found = patient.place.get(DEPLOYMENT)
    return found is not None and found["status"].get("availableReplicas") == 1


def test_a_server_that_starts_is_not_ready_and_has_no_symptom(patient: Patient) -> None:
    play_slowly(patient, "serving")
    restart(patient)
    eventually(lambda: patient.named() == NOT_READY)
    [finding] = patient.findings()
    assert finding.verdict == "warning"


def test_chips_of_a_pod_that_ends_are_not_held(patient: Patient) -> None:
    """While the old Pod ends, the new one finds no chips: that passes."""
    play_slowly(patient, "serving")
    restart(patient)
    for _ in range(5):
        assert set(patient.named()) <= set(NOT_READY)


@pytest.mark.slow
def test_an_operation_that_has_ended_does_not_hold_the_cluster(patient: Patient) -> None:
    patient.play("serving")
    names = {"project": "rehearsal-project", "cluster": "rehearsal"}
    patient.place.cloud.control("POST", "scenarios/busy-cluster", names | {"seconds": 1})
    assert patient.named() == ["s21-cluster-busy"]
    eventually(lambda: patient.named() == [])


@pytest.mark.slow
def test_a_refusal_that_only_the_sidecar_tells(patient: Patient) -> None:
    """With skipCSIBucketAccessCheck, as the guide has it, the Pod starts and its sidecar is refused."""
    patient.run(*(step for step in SETUP if step != "storage.iam_member"))
    assert patient.place.apply("kube.apply", **SERVER).error is not None
    [finding] = patient.findings()
    assert finding.topic == "s04-bucket-permission-denied"
    assert "log of gke-gcsfuse-sidecar" in str(finding.evidence)


def test_a_quota_is_no_stockout(patient: Patient) -> None:
    patient.run("gke.cluster")
    message = "Insufficient quota to satisfy the request: GCE_QUOTA_EXCEEDED, RESOURCE_EXHAUSTED"
    fault = {"kind": "operation_error", "api": "container", "method": "POST", "path": POOLS}
    patient.place.cloud.control("POST", "faults", fault | {"message": message})
    assert patient.place.apply("gke.node_pool").error is not None
    assert not any(topic.startswith("s") for topic in patient.named())
    assert any(message in finding.fact for finding in patient.findings())


def test_an_image_that_cannot_be_pulled_is_told_as_it_is(patient: Patient) -> None:
    patient.set_up()
    patient.with_settings("server.image=vllm/vllm-tpu:missing").place.apply("kube.apply", **SERVER)
    [finding] = patient.findings()
    assert [finding.topic] == NOT_READY
    assert "vllm/vllm-tpu:missing" in str(finding.evidence)


def test_a_read_that_is_refused_is_told_once(patient: Patient) -> None:
    refusal = {"api": "container", "status": 400, "message": "A refusal that nobody knows.", "times": 100}
    patient.place.cloud.control("POST", "faults", refusal)
    [finding] = patient.findings()
    assert (finding.verdict, finding.fact) == ("failed", "A refusal that nobody knows")


def refused(resource: str) -> dict[str, object]:
    """A fault: the login may not list something of the whole cluster."""
    cannot = f'User "intern" cannot list resource "{resource}" in API group "" at the cluster scope'
    return {
        "api": "kubernetes",
        "method": "GET",
        "path": rf"/api/v1/{resource}(\?|$)",
        "status": 403,
        "message": f"{resource} is forbidden: {cannot}",
        "times": 100,
    }


@pytest.mark.parametrize("resource", ["pods", "nodes"])
def test_a_login_that_may_read_little_still_hears_the_servers_pods(patient: Patient, resource: str) -> None:
    patient.play("s27-libtpu-locked")
    patient.place.cloud.control("POST", "faults", refused(resource))
    assert patient.named() == ["s27-libtpu-locked"]


def test_nodes_that_were_not_seen_are_not_said_to_be_missing(patient: Patient) -> None:
    patient.play("s16-chips-held")
    patient.place.cloud.control("POST", "faults", refused("nodes"))
    assert patient.named() == ["reading GET /api/v1/nodes", *NOT_READY]


def test_a_log_that_cannot_be_read_hides_no_other(patient: Patient) -> None:
    patient.play("s27-libtpu-locked")
    sidecars = r"/log\?.*container=gke-gcsfuse-sidecar"
    fault = {"api": "kubernetes", "method": "GET", "path": sidecars, "status": 500, "times": 100}
    patient.place.cloud.control("POST", "faults", fault)
    assert patient.named() == ["s27-libtpu-locked"]


def test_a_plug_in_that_kubectl_lacks_hides_no_server_that_is_not_ready(patient: Patient) -> None:
    patient.play("s33-auth-plugin-missing")
    patient.run("gke.node_pool", "storage.bucket", "storage.folder", "model.upload", "storage.iam_member")
    patient.with_settings("server.image=vllm/vllm-tpu:missing").place.apply("kube.apply", **SERVER)
    assert patient.named() == ["s33-auth-plugin-missing", *NOT_READY]


def test_a_plug_in_of_a_user_that_is_not_asked_is_no_symptom(patient: Patient) -> None:
    patient.play("serving")
    patient.run("kube.credentials")
    path = kubeconfig_path(patient.place.loaded.variables, patient.place.home, "rehearsal")
    config = kubeconfig.read(path)
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "/nowhere/gke-gcloud-auth-plugin",
    }
    config["users"].append({"name": "other", "user": {"exec": plugin}})
    kubeconfig.write(path, config)
    other = patient.with_settings("provider=kubeconfig", f"kube.kubeconfig={path}")
    assert other.named() == []


def test_two_symptoms_at_once_are_both_named(patient: Patient) -> None:
    patient.play("s16-chips-held")
    names = {"project": "rehearsal-project", "cluster": "rehearsal"}
    patient.place.cloud.control("POST", "scenarios/busy-cluster", names | {"seconds": 60})
    assert patient.named() == ["s16-chips-held", "s21-cluster-busy"]


@pytest.mark.parametrize("scenario", ["s03-iam-still-propagating", "s27-libtpu-locked"])
def test_what_was_injected_can_be_taken_back(patient: Patient, scenario: str) -> None:
    patient.play(scenario)
    assert patient.named() == [scenario]
    patient.place.cloud.control("DELETE", "faults")
    eventually(lambda: answers(patient))
    eventually(lambda: patient.named() == [])  # a Deployment's status follows its Pods


def test_the_remedy_of_a_missing_grant(patient: Patient) -> None:
    patient.play("s04-bucket-permission-denied")
    patient.run("storage.iam_member")
    eventually(lambda: answers(patient))
    assert patient.named() == []


@pytest.mark.slow
def test_the_remedies_of_a_driver_that_is_off(patient: Patient) -> None:
    """The Pods that were made before have no sidecar: that is the next symptom, and it has its own remedy."""
    patient.play("s01-csi-driver-not-registered")
    patient.run("gke.addon", addon="GcsFuseCsiDriver")
    eventually(lambda: patient.named() == ["s06-sidecar-not-injected"])
    restart(patient)
    eventually(lambda: answers(patient))
    eventually(lambda: patient.named() == [])  # a Deployment's status follows its Pods


def test_the_remedy_of_the_wrong_metadata_mode(patient: Patient) -> None:
    patient.play("s02-workload-identity-off-on-node")
    patient.run("gke.workload_identity")
    eventually(lambda: answers(patient))
    eventually(lambda: patient.named() == [])  # a Deployment's status follows its Pods


def test_the_remedy_of_a_selector_that_no_node_matches(patient: Patient) -> None:
    patient.play("s18-no-node-matches")
    patient.run("model.upload")
    patient.place.deploy()
    assert patient.named() == []
