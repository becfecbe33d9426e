"""P4 and P5."""

from __future__ import annotations

import pytest

from tests.doctor_preflight.patient import facts

OPERATION_SECONDS = 60


def test_no_cluster_is_no_fault(patient):
    assert facts(patient.findings("P4")) == [
        ("ok", "there is no cluster yet of the name rehearsal: 2.2 makes it")
    ]
    assert facts(patient.findings("P5")) == [
        ("ok", "there is no cluster yet: 2.2 makes it with a version of the channel rapid")
    ]


def test_a_cluster_of_the_name_elsewhere_is_found(patient):
    patient.make_cluster(
        location="us-central1-f", nodePools=[{"name": "default-pool", "initialNodeCount": 1}]
    )
    found = patient.finding("P4")
    assert (found.verdict, found.fact) == (
        "failed",
        "rehearsal is in us-central1-f, not in us-central1: a run would make a second one",
    )
    assert found.remedy == "set cluster.location to us-central1-f, or cluster.name to another name"
    there = patient.with_settings("cluster.location=us-central1-f")
    assert there.finding("P4").fact == "rehearsal in us-central1-f is RUNNING and answers, 1 node(s)"


def test_a_cluster_that_works_answers(patient):
    patient.make_cluster()
    assert patient.finding("P4").fact == "rehearsal in us-central1 is RUNNING and answers, 4 node(s)"


def test_a_cluster_that_gke_works_on_is_waited_for(patient):
    patient.make_cluster()
    patient.cloud.control("POST", "scenarios/busy-cluster", {"seconds": OPERATION_SECONDS})
    found = patient.finding("P4")
    assert (found.verdict, found.fact) == (
        "ok",
        "rehearsal in us-central1 is RECONCILING: a run waits for that",
    )


def test_a_cluster_that_could_not_be_made_says_why(patient):
    patient.cloud.control(
        "POST",
        "faults",
        {
            "kind": "operation_error",
            "api": "container",
            "method": "POST",
            "path": "/clusters$",
            "message": "Google Compute Engine: Quota 'CPUS' exceeded.",
        },
    )
    patient.make_cluster()
    found = patient.finding("P4")
    assert found.verdict == "failed"
    assert "is ERROR: Google Compute Engine: Quota 'CPUS' exceeded." in found.fact
    inside = {finding.topic.split()[0]: finding for finding in patient.all()}
    assert [inside[number].fact for number in ("P5", "P11", "P12", "P13", "P16")] == [
        "not looked at, as P4 failed"
    ] * 5


def test_an_api_server_that_refuses_the_login_is_told_once(patient):
    patient.make_cluster()
    patient.cloud.control(
        "POST",
        "faults",
        {"kind": "status", "api": "kubernetes", "path": "/nodes$", "status": 401, "times": 9},
    )
    found = {finding.topic: finding for finding in patient.all() if finding.verdict != "ok"}
    assert found["P4 cluster"].verdict == "failed"
    assert {finding.fact for topic, finding in found.items() if topic != "P4 cluster"} == {
        "not looked at, as P4 failed"
    }


def test_a_cluster_too_old_for_the_machines_is_told_with_the_minimum(patient):
    patient.make_cluster(
        initialClusterVersion="1.33.5-gke.1308000",
        nodePools=[{"name": "default-pool", "initialNodeCount": 1}],
    )
    found = patient.finding("P5")
    assert (found.verdict, found.fact) == (
        "failed",
        "the control plane has 1.33.5-gke.1308000, and tpu7x-standard-4t needs 1.34.0-gke.2201000",
    )
    assert found.remedy == (
        "gcloud container clusters upgrade rehearsal --master --cluster-version=1.34.0-gke.2201000"
        " --project=rehearsal-project --location=us-central1"
    )


@pytest.mark.parametrize(
    ("option", "used", "minimum"),
    [
        ("read_ahead_kb=1024", "read_ahead_kb=1024", "1.32.2-gke.1297001"),
        ("read:enable-buffered-read:true", "read:enable-buffered-read:true", "1.34.0-gke.2011000"),
    ],
)
def test_a_mount_option_is_compared_with_both_versions(patient, option, used, minimum):
    patient.make_cluster(initialClusterVersion="1.33.5-gke.1308000")
    mounting = patient.with_settings(f"volume.mount_options=[{option}]")
    found = [finding.fact for finding in mounting.findings("P5") if used in finding.fact]
    if minimum.startswith("1.34"):
        assert found == [
            f"the control plane has 1.33.5-gke.1308000, and {used} needs {minimum}",
            f"node pool tpu7x-pool has 1.33.5-gke.1308000, and {used} needs {minimum}",
        ]
    else:
        assert found == []


def test_a_version_whose_sidecar_gives_up_early_is_warned_about(patient):
    patient.make_cluster(initialClusterVersion="1.34.1-gke.3899001")
    found = patient.finding("P5")
    assert found.verdict == "warning"
    assert found.fact.startswith("1.34.1-gke.3899001: the mount's sidecar gives up")
    assert "1.34.8-gke.1218000 tries again" in found.remedy


@pytest.mark.parametrize("version", ["1.34.1-gke.1829001", "1.34.8-gke.1218000", "1.36.0-gke.1266000"])
def test_other_versions_do_not_have_that_fault(patient, version):
    patient.make_cluster(initialClusterVersion=version)
    assert patient.finding("P5").verdict == "ok"
