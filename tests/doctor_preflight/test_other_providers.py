"""A cluster of a kubeconfig file, and this machine where it works on GKE."""

from __future__ import annotations

import pytest

from runbook.doctor.preflight.machine import this_machine

PLUGIN = "gke-gcloud-auth-plugin"
WITHOUT_GKE = ("P4", "P5", "P6", "P7", "P11", "P12", "P13", "P16")


@pytest.fixture
def from_kubeconfig(equipped, prepared, monkeypatch, tmp_path):
    """The equipped cloud's cluster by its kubeconfig file; nobody is logged in to Google Cloud."""
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    assert prepared.apply("kube.credentials").error is None
    path = prepared.home / ".runs" / "rehearsal" / "kubeconfig"
    return equipped.with_settings("provider=kubeconfig", "project=", f"kube.kubeconfig={path}")


def machine(patient):
    with patient.context() as context:
        return {answer.about: answer for answer in this_machine(context)}


def test_a_cluster_of_a_kubeconfig_file_is_looked_into_without_gke(from_kubeconfig):
    from_kubeconfig.cloud.control("DELETE", "requests")
    found = {finding.topic.split()[0]: finding for finding in from_kubeconfig.all()}
    assert found["P4"].fact == "the kubeconfig's cluster answers, 2 node(s)"
    assert found["P7"].fact == "provider is kubeconfig: no machine is asked for"
    assert found["P12"].fact == "1 ready with 4 chips, labels and taint as expected"
    assert found["P13"].fact == "4 of 4 chips are free, the server holds 0, it needs 4"
    assert {found[number].verdict for number in WITHOUT_GKE} == {"ok"}
    asked = {entry["api"] for entry in from_kubeconfig.cloud.control("GET", "requests")}
    assert asked == {"kubernetes"}


def test_without_a_project_nothing_of_google_cloud_is_asked(from_kubeconfig):
    found = {finding.topic.split()[0]: finding for finding in from_kubeconfig.all()}
    assert [found[number].fact for number in ("P1", "P2", "P3")] == [
        "no project is set: nothing of Google Cloud is asked"
    ] * 3


def test_a_kubeconfig_that_is_not_there_fails_once(equipped, monkeypatch, tmp_path):
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    missing = equipped.with_settings("provider=kubeconfig", "project=", f"kube.kubeconfig={tmp_path}/none")
    found = {finding.topic.split()[0]: finding for finding in missing.all()}
    assert found["P4"].verdict == "failed"
    assert found["P12"].fact == "not looked at, as P4 failed"


def test_without_a_bastion_none_is_looked_for(patient):
    assert patient.finding("P17").fact == "none is set: the API is reached from here"


def test_on_gke_gcloud_is_needed_and_the_plugin_is_missed(equipped, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    found = machine(equipped.with_settings("provider=gke"))
    assert (found["gcloud"].verdict, "https://cloud.google.com/sdk" in found["gcloud"].remedy) == (
        "failed",
        True,
    )
    assert (found[PLUGIN].verdict, found[PLUGIN].remedy) == (
        "warning",
        f"gcloud components install {PLUGIN}",
    )
    assert found["kubectl"].verdict == "ok"


def test_on_gke_another_source_of_tokens_does_without_gcloud(equipped, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    other = equipped.with_settings("provider=gke", "credentials.source=application-default")
    assert machine(other)["gcloud"].verdict == "ok"


def test_a_kubeconfig_that_names_the_plugin_needs_it(equipped, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    path = tmp_path / "kubeconfig"
    path.write_text(f"users:\n- name: me\n  user:\n    exec: {{command: {PLUGIN}}}\n")
    found = machine(equipped.with_settings("provider=kubeconfig", f"kube.kubeconfig={path}"))
    assert found[PLUGIN].verdict == "failed"
