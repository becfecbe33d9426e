"""P14 to P16."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from runbook.steps.kube.workload import volume_names
from tests.doctor_preflight.patient import facts

DIGEST = "sha256:" + "0" * 64
PINNED = "vllm/vllm-tpu:v0.29.0"


def with_image(patient, image, *settings):
    return patient.with_settings(f"server.image={image}", *settings)


def programs(patient):
    return {finding.topic.removeprefix("P15 this machine "): finding for finding in patient.findings("P15")}


def path_with(folder: Path, *names: str) -> str:
    """Make a PATH on which only these programs are."""
    for name in names:
        program = folder / name
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    return str(folder)


@pytest.mark.parametrize(
    "image", [PINNED, f"vllm/vllm-tpu@{DIGEST}", "vllm/vllm-tpu:nightly-ironwood-20251217-baf570b-0cd5353"]
)
def test_images_that_stay_what_they_are(patient, image):
    assert facts(with_image(patient, image).findings("P14")) == [("ok", f"{image}: pinned")]


@pytest.mark.parametrize("image", ["vllm/vllm-tpu", "vllm/vllm-tpu:latest", "vllm/vllm-tpu:nightly"])
def test_images_that_move_are_warned_about(patient, image):
    found = with_image(patient, image).finding("P14")
    assert (found.verdict, found.fact) == (
        "warning",
        f"{image} moves: the next Pod may run another version",
    )


def test_a_registrys_port_is_no_tag(patient):
    assert with_image(patient, "mine.example:5000/vllm").finding("P14").verdict == "warning"


def test_private_nodes_cannot_pull_from_docker_hub_without_nat(patient):
    private = with_image(patient, PINNED, "cluster.private_nodes=true")
    assert private.finding("P14").verdict == "ok"
    patient.tell(regions_without_nat=["us-central1"])
    found = private.finding("P14")
    assert (found.verdict, found.fact) == (
        "failed",
        "the nodes have no public address, and us-central1 has no Cloud NAT: they cannot pull"
        " vllm/vllm-tpu:v0.29.0",
    )


def test_a_shared_network_is_asked_about_in_its_project(patient):
    network = "projects/host-project/global/networks/shared"
    subnetwork = "projects/host-project/regions/us-central1/subnetworks/tpus"
    private = with_image(
        patient,
        PINNED,
        "cluster.private_nodes=true",
        f"cluster.network={network}",
        f"cluster.subnetwork={subnetwork}",
    )
    assert private.finding("P14").verdict == "ok"
    asked = [entry["path"] for entry in patient.cloud.logged(api="compute") if "/routers" in entry["path"]]
    assert asked[-1].startswith("/compute/v1/projects/host-project/regions/us-central1/routers")
    assert "shared" in asked[-1]


def test_private_nodes_pull_from_artifact_registry(patient):
    patient.tell(regions_without_nat=["us-central1"])
    image = "us-docker.pkg.dev/mine/vllm/vllm-tpu:v0.29.0"
    assert with_image(patient, image, "cluster.private_nodes=true").finding("P14").verdict == "ok"


def test_an_existing_cluster_tells_itself_whether_its_nodes_are_private(patient):
    patient.tell(regions_without_nat=["us-central1"])
    assert with_image(patient, PINNED).finding("P14").verdict == "ok"
    patient.make_cluster(networkConfig={"defaultEnablePrivateNodes": True})
    assert with_image(patient, PINNED).finding("P14").verdict == "failed"


def test_a_rehearsal_needs_no_programs(patient, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", path_with(tmp_path))
    found = programs(patient)
    assert {name: found[name].verdict for name in ("gcloud", "kubectl", "gke-gcloud-auth-plugin")} == {
        "gcloud": "ok",
        "kubectl": "ok",
        "gke-gcloud-auth-plugin": "ok",
    }


def test_a_program_that_is_there_is_told_with_its_path(patient, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", path_with(tmp_path, "gcloud", "kubectl"))
    found = programs(patient)
    assert found["gcloud"].fact == str(tmp_path / "gcloud")
    assert found["kubectl"].fact == str(tmp_path / "kubectl")


def test_a_port_that_is_taken_is_warned_about(patient):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        found = programs(patient.with_settings(f"smoke.local_port={port}"))[f"port {port}"]
    assert (found.verdict, found.remedy) == ("warning", "4.4 takes another free one")


def test_a_port_that_is_free(patient):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    found = programs(patient.with_settings(f"smoke.local_port={port}"))[f"port {port}"]
    assert (found.verdict, found.fact) == ("ok", "is free for the port-forward of 4.4")


def test_there_is_disk_for_the_journals(patient):
    assert programs(patient)["disk"].verdict == "ok"
    assert os.access(patient.cloud.home, os.W_OK)


def volume(name, *, claim, namespace="default", labels=None):
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {
            "accessModes": ["ReadWriteMany"],
            "capacity": {"storage": "64Gi"},
            "storageClassName": "gcsfuse-sc",
            "claimRef": {"name": claim, "namespace": namespace},
            "csi": {"driver": "gcsfuse.csi.storage.gke.io", "volumeHandle": "somebodys-models"},
        },
    }


@pytest.fixture
def ours(patient):
    patient.make_cluster()
    with patient.context() as context:
        return volume_names(context.variables)


OWN = {"app.kubernetes.io/managed-by": "runbook", "runbook/environment": "rehearsal"}


def test_no_volume_at_all(patient, ours):
    assert facts(patient.findings("P16")) == [("ok", "no other of 0 volumes has the server's name or claim")]


def test_the_runbooks_own_volume_is_no_foreign_one(patient, ours):
    patient.apply(volume(ours.volume, claim=ours.claim, labels=OWN))
    assert patient.finding("P16").verdict == "ok"


def test_another_volume_for_our_claim_fails(patient, ours):
    patient.apply(volume("theirs", claim=ours.claim))
    found = patient.finding("P16")
    assert (found.verdict, found.fact) == (
        "failed",
        f"persistentvolume/theirs is kept for our claim default/{ours.claim}: the claim may bind to it",
    )


def test_a_volume_of_our_name_for_another_claim_fails(patient, ours):
    patient.apply(volume(ours.volume, claim="theirs", namespace="other", labels=OWN))
    assert facts(patient.findings("P16")) == [
        ("failed", f"persistentvolume/{ours.volume} is kept for another claim, other/theirs")
    ]


def test_a_volume_of_our_name_of_another_environment_fails(patient, ours):
    patient.apply(volume(ours.volume, claim=ours.claim, labels=OWN | {"runbook/environment": "staging"}))
    assert facts(patient.findings("P16")) == [
        ("failed", f"persistentvolume/{ours.volume} is somebody else's: runbook/environment is staging")
    ]
